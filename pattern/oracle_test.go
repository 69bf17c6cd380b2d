package pattern

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// The oracle knows the dialect in the most direct way: alternatives are multiplied out, segments are matched by trying
// everything. It shares no code with the package.

// oracle is a pattern as the list of its readings without braces.
type oracle [][]string // of each reading: the segments, as written

// newOracle reads a pattern that is anchored at the root, and says whether it is legal.
func newOracle(text string) (o oracle, legal bool) {
	name, folder := strings.CutSuffix(text, "/")
	if name == "" {
		return nil, false
	}
	if !strings.ContainsAny(text, `*?[{\`) {
		all := strings.Split(strings.TrimPrefix(name, "/"), "/")
		return oracle{all, append(slices.Clone(all), "**")}, oracleLiteral(name)
	}
	o, legal = globOracle(name)
	if folder && legal {
		for _, r := range slices.Clone(o) {
			o = append(o, append(slices.Clone(r), "**"))
		}
	}
	return o, legal
}

func globOracle(text string) (o oracle, legal bool) {
	readings, legal := oracleExpand(strings.TrimPrefix(text, "/"))
	if !legal {
		return nil, false
	}
	for _, r := range readings {
		segments := oracleSplit(r)
		for _, s := range segments {
			if !oracleSegment(s) {
				return nil, false
			}
		}
		o = append(o, segments)
	}
	return o, true
}

func oracleLiteral(text string) bool {
	for _, s := range strings.Split(strings.TrimPrefix(text, "/"), "/") {
		if s == "" || s == "." || s == ".." {
			return false
		}
	}
	return true
}

// oracleToken cuts the first unit off: an escape, a set, a run of stars, a character.
func oracleToken(s string) (token string, legal bool) {
	switch s[0] {
	case '\\':
		if len(s) < 2 || s[1] == '/' {
			return "", false
		}
		_, n := utf8.DecodeRuneInString(s[1:])
		return s[:1+n], true
	case '[':
		i := 1
		if i < len(s) && (s[i] == '!' || s[i] == '^') {
			i++
		}
		if i < len(s) && s[i] == ']' {
			i++
		}
		end := strings.IndexByte(s[min(i, len(s)):], ']')
		if end < 0 || strings.Contains(s[:i+end], "/") {
			return "", false
		}
		token = s[:i+end+1]
		_, _, legal = oracleSet(token)
		return token, legal
	case '*':
		n := 1
		for n < len(s) && s[n] == '*' {
			n++
		}
		return s[:n], n <= 2
	}
	_, n := utf8.DecodeRuneInString(s)
	return s[:n], true
}

// oracleExpand multiplies the alternatives out.
func oracleExpand(text string) (readings []string, legal bool) {
	readings = []string{""}
	add := func(ends []string) {
		var next []string
		for _, r := range readings {
			for _, e := range ends {
				// The zero byte keeps `*` and `*` of different alternatives from becoming `**`.
				next = append(next, r+"\x00"+e)
			}
		}
		readings = next
	}
	for text != "" {
		switch text[0] {
		case '}':
			return nil, false
		case '{':
			alts := []string{""}
			text = text[1:]
			for {
				if text == "" || text[0] == '{' {
					return nil, false
				}
				if text[0] == '}' {
					text = text[1:]
					break
				}
				if text[0] == ',' {
					alts = append(alts, "")
					text = text[1:]
					continue
				}
				token, legal := oracleToken(text)
				if !legal {
					return nil, false
				}
				alts[len(alts)-1] += token
				text = text[len(token):]
			}
			add(alts)
		default:
			token, legal := oracleToken(text)
			if !legal {
				return nil, false
			}
			add([]string{token})
			text = text[len(token):]
		}
	}
	return readings, true
}

func oracleSplit(reading string) []string {
	var out []string
	for s := range strings.SplitSeq(reading, "/") {
		// What was put between tokens separates stars only.
		for strings.Contains(s, "\x00\x00") {
			s = strings.ReplaceAll(s, "\x00\x00", "\x00")
		}
		for strings.Contains(s, "*\x00*") {
			s = strings.ReplaceAll(s, "*\x00*", "*\x01*")
		}
		out = append(out, strings.ReplaceAll(s, "\x00", ""))
	}
	return out
}

func oracleSegment(s string) bool {
	if s == "**" {
		return true
	}
	var name strings.Builder
	wild := false
	for rest := s; rest != ""; {
		if rest[0] == 1 {
			rest = rest[1:]
			continue
		}
		token, legal := oracleToken(rest)
		if !legal || token == "**" {
			return false
		}
		rest = rest[len(token):]
		wild = wild || token == "*" || token == "?" || token[0] == '['
		name.WriteString(strings.TrimPrefix(token, `\`))
	}
	n := name.String()
	return wild || n != "" && n != "." && n != ".."
}

func oracleSet(token string) (negated bool, ranges [][2]rune, legal bool) {
	in := []rune(token[1 : len(token)-1])
	if len(in) > 0 && (in[0] == '!' || in[0] == '^') {
		negated, in = true, in[1:]
	}
	for i := 0; i < len(in); {
		if i+2 < len(in) && in[i+1] == '-' {
			if in[i+2] < in[i] {
				return false, nil, false
			}
			ranges = append(ranges, [2]rune{in[i], in[i+2]})
			i += 3
			if i < len(in)-1 && in[i] == '-' {
				return false, nil, false
			}
			continue
		}
		ranges = append(ranges, [2]rune{in[i], in[i]})
		i++
	}
	return negated, ranges, len(ranges) > 0
}

// match tries everything.
func (o oracle) match(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	names := strings.Split(path[1:], "/")
	for i, n := range names {
		if n == "" || n == "." || n == ".." || strings.HasPrefix(n, ".haz-restore-") {
			return false
		}
		if i == 1 && names[0] == ".haz" && (n == "cache" || n == "state") {
			return false
		}
	}
	return slices.ContainsFunc(o, func(r []string) bool { return oracleMatch(r, names) })
}

func oracleMatch(segments, names []string) bool {
	if len(segments) == 0 {
		return len(names) == 0
	}
	if segments[0] == "**" {
		if len(segments) > 1 && oracleMatch(segments[1:], names) {
			return true
		}
		if len(names) == 0 || names[0] == ".git" {
			return false
		}
		return len(segments) == 1 && len(names) == 1 || oracleMatch(segments, names[1:])
	}
	if len(names) == 0 {
		return false
	}
	if names[0] == ".git" && strings.ContainsAny(oracleUnescaped(segments[0]), "*?[") {
		return false
	}
	return oracleName(segments[0], names[0]) && oracleMatch(segments[1:], names[1:])
}

// oracleUnescaped is a segment without its escapes.
func oracleUnescaped(s string) string {
	var b strings.Builder
	for s != "" {
		token, legal := oracleToken(s)
		if !legal {
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		if token[0] != '\\' {
			b.WriteString(token)
		}
		s = s[len(token):]
	}
	return b.String()
}

func oracleName(s, name string) bool {
	s = strings.TrimPrefix(s, "\x01")
	if s == "" {
		return name == ""
	}
	token, _ := oracleToken(s)
	rest := s[len(token):]
	if token == "*" {
		for i := 0; i <= len(name); i++ {
			// Only between characters, not within one.
			if i == 0 || oracleBoundary(name, i) {
				if oracleName(rest, name[i:]) {
					return true
				}
			}
		}
		return false
	}
	if name == "" {
		return false
	}
	r, n := utf8.DecodeRuneInString(name)
	bad := r == utf8.RuneError && n == 1
	switch token[0] {
	case '?':
	case '[':
		negated, ranges, _ := oracleSet(token)
		in := !bad && slices.ContainsFunc(ranges, func(p [2]rune) bool { return p[0] <= r && r <= p[1] })
		if in == negated {
			return false
		}
	default:
		if strings.TrimPrefix(token, `\`) != name[:n] && token != name[:n] || len(token) > 1 && token[0] == '\\' && token[1:] != name[:n] {
			return false
		}
	}
	return oracleName(rest, name[n:])
}

func oracleBoundary(name string, at int) bool {
	for i := 0; i < at; {
		_, n := utf8.DecodeRuneInString(name[i:])
		if i += n; i == at {
			return true
		}
	}
	return false
}

// smallPaths are all paths of up to two segments over few short names, and some longer ones.
func smallPaths() []string {
	short := []string{"a", "b", "aa", "ab", "ba", "bb", ".a", "a.", "é", "aé", ".git", "\xff", ".haz", "..."}
	long := []string{"a", "b", "ab", ".git", "é"}
	var out []string
	for _, x := range short {
		out = append(out, "/"+x)
		for _, y := range short {
			out = append(out, "/"+x+"/"+y)
		}
	}
	for _, x := range long {
		for _, y := range long {
			for _, z := range long {
				out = append(out, "/"+x+"/"+y+"/"+z, "/"+x+"/"+y+"/"+z+"/a", "/"+x+"/"+y+"/"+z+"/b/"+x)
			}
		}
	}
	return append(out, "/aaa", "/aba", "/abab", "/a/aaa", "/.haz/cache", "/.haz/state/a", "/.haz-restore-a", "/a/.haz-restore-", "/a/b/a/b/a/b")
}
