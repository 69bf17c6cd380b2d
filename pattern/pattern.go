// Package pattern holds the patterns of chapter 1, section 8: parse, print, match, and the exact question whether two
// patterns have a path in common. It knows paths as texts and never a disk; walks are in fsys/tree.
//
// The matcher is our own. Libraries (doublestar among them) speak dialects that differ where ours is exact: they work on
// bytes or drop empty alternatives, let a set match "/", take `**` with company for `*`, nest braces, and expand them, so
// that forty pairs of braces never end; none answers the overlap of two patterns, and none can resume a match at a
// directory, which is what a walk that enters only directories that can still match needs.
//
// What a pattern never matches is part of matching, so that text and disk agree (8.4): `/.haz/cache` and `/.haz/state` with
// all below, names that begin with `.haz-restore-`, and, unless the pattern spells it, a name that is ".git".
package pattern

import (
	"path"
	"strings"
)

// Pattern is a parsed literal or glob. The zero value matches nothing. A Pattern is immutable, comparable by String of
// its anchored form, and compiled once.
type Pattern struct {
	p *pattern
}

type pattern struct {
	text     string
	absolute bool
	path     string   // of a literal: the path it names. Of a glob: its fixed prefix, whose characters are themselves
	glob     *Program // what comes behind path; nil for literals. Anchoring does not change it
}

// Parse reads a pattern: project-relative, or workspace-absolute with a leading "/". The error is a *SyntaxError.
// String of the result is text, and no longer text than MaxPattern is taken.
func Parse(text string) (Pattern, error) {
	p, err := parse(text)
	if err != nil {
		return Pattern{}, err
	}
	return Pattern{p}, nil
}

func parse(text string) (*pattern, *SyntaxError) {
	if len(text) > MaxPattern {
		return nil, &SyntaxError{Rule: "PATH-009", Text: text, Offset: MaxPattern, Length: len(text) - MaxPattern, Reason: "it is longer than 4096 bytes"}
	}
	if !isGlob(text) {
		if err := checkLiteral(text); err != nil {
			return nil, err
		}
	}
	if err := checkCharacters(text); err != nil {
		return nil, err
	}
	p := &pattern{text: text, absolute: text[0] == '/'}
	p.path = text
	if !p.absolute {
		p.path = "/" + text
	}
	if !isGlob(text) {
		return p, nil
	}
	start := 0
	if p.absolute {
		start = 1
	}
	r := parser{text: text, pos: start}
	items, err := r.items(false)
	if err != nil {
		return nil, err
	}
	if err := checkSegments(text, items, start); err != nil {
		return nil, err
	}
	prefix, rest := fixedPrefix(items)
	p.path, p.glob = prefix, compile(rest)
	return p, nil
}

// fixedPrefix takes the leading literal segments off; at least one segment stays.
func fixedPrefix(items []item) (prefix string, rest []item) {
	var b []byte
	done, taken := 0, 0 // items and bytes of whole segments
	b = append(b, '/')
	for i := range items {
		switch items[i].kind {
		case itemChar:
			b = appendChar(b, items[i].char)
			continue
		case itemSlash:
			done, taken = i+1, len(b)
			b = append(b, '/')
			continue
		}
		break
	}
	if taken == 0 {
		return "/", items
	}
	return string(b[:taken]), items[done:]
}

// String gives the text it was parsed from; of an anchored pattern, the workspace-absolute text (the directory's
// characters escaped where the pattern is a glob; a literal stays as it is).
func (p Pattern) String() string {
	if p.p == nil {
		return ""
	}
	return p.p.text
}

// IsLiteral reports whether the pattern names exactly one path.
func (p Pattern) IsLiteral() bool { return p.p != nil && p.p.glob == nil }

// IsAbsolute reports whether the text starts with "/".
func (p Pattern) IsAbsolute() bool { return p.p != nil && p.p.absolute }

// Anchor makes a relative pattern workspace-absolute below dir ("/" or "/libs/core"), segment by segment, so that glob
// characters in dir mean themselves. An absolute pattern is returned as it is. It is cheap: nothing is parsed or compiled.
func (p Pattern) Anchor(dir string) Pattern {
	if p.p == nil || p.p.absolute {
		return p
	}
	q := &pattern{absolute: true, path: below(dir, p.p.path), glob: p.p.glob}
	switch {
	case q.glob == nil:
		q.text = q.path
	case dir == "/" || dir == "":
		q.text = "/" + p.p.text
	default:
		q.text = Escape(dir) + "/" + p.p.text
	}
	return Pattern{q}
}

// below puts the path p, which begins with "/", under dir.
func below(dir, p string) string {
	switch {
	case dir == "/" || dir == "":
		return p
	case p == "/":
		return dir
	}
	return dir + p
}

// Escape writes a path, or a part of one, so that it means itself in a pattern.
func Escape(path string) string {
	if !strings.ContainsAny(path, `*?[{}\`) {
		return path
	}
	var b strings.Builder
	for i := range len(path) {
		if strings.IndexByte(`*?[{}\`, path[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

// Match reports whether a workspace-absolute path matches the anchored pattern. It looks at text alone: case matters on every
// system (PATH-007), and characters are not normalised (PATH-016). A text that is no path ("", "/", "a", "/a/",
// "/a/../b") matches nothing.
func (p Pattern) Match(path string) bool {
	if p.p == nil || Invisible(path) {
		return false
	}
	if p.p.glob == nil {
		return path == p.p.path
	}
	rest, ok := cutDir(path, p.p.path)
	if !ok || !strings.HasSuffix(rest, p.p.glob.tail) {
		return false
	}
	_, end := p.p.glob.match(p.p.glob.Begin(), rest)
	return end
}

// MatchOutput is Match for an output pattern: its wildcards match what is called ".git" too, but for the one in the root of
// the workspace, since such a thing can be what the task made (8.4).
func (p Pattern) MatchOutput(path string) bool {
	if p.Match(path) {
		return true
	}
	if p.p == nil || p.p.glob == nil || !strings.Contains(path, "/"+GitName) || IsOrBelow(path, "/"+GitName) || Invisible(path) {
		return false
	}
	rest, ok := cutDir(path, p.p.path)
	if !ok {
		return false
	}
	_, end := p.p.glob.matchAll(p.p.glob.Begin(), rest, func(string) bool { return false })
	return end
}

// match takes the segments of rest ("b/c") at the places at.
func (g *Program) match(at []int32, rest string) (next []int32, end bool) {
	return g.matchAll(at, rest, func(name string) bool { return name == GitName })
}

// matchAll is match where spelled says which names no wildcard matches.
func (g *Program) matchAll(at []int32, rest string, spelled func(name string) bool) (next []int32, end bool) {
	for {
		name, more, found := strings.Cut(rest, "/")
		if name == "" || name == "." || name == ".." {
			return nil, false
		}
		at, end = g.Step(at, name, spelled(name))
		if !found {
			return at, end
		}
		if len(at) == 0 {
			return nil, false
		}
		rest = more
	}
}

// cutDir takes dir and the slash behind it off path.
func cutDir(path, dir string) (rest string, ok bool) {
	n := len(dir)
	if dir == "/" {
		n = 0
	}
	if len(path) > n+1 && path[n] == '/' && path[:n] == dir[:n] {
		return path[n+1:], true
	}
	return "", false
}

// FixedPrefix is the directory made of the leading literal segments ("/lib/out" of "/lib/out/*.o"; of a literal, all but
// the last: "/lib/out" of "/lib/out/a.o"); "/" when there are none.
func (p Pattern) FixedPrefix() string {
	switch {
	case p.p == nil:
		return "/"
	case p.p.glob == nil:
		return path.Dir(p.p.path)
	}
	return p.p.path
}

// MayMatchBelow reports whether some path below dir could match: false means that a walk need not enter dir.
func (p Pattern) MayMatchBelow(dir string) bool {
	if p.p == nil || Invisible(dir) {
		return false
	}
	if _, ok := cutDir(p.p.path, dir); ok || p.p.path == dir && p.p.glob != nil {
		return true
	}
	return len(p.at(dir)) > 0
}

// at is where a glob stands in dir, a directory below its fixed prefix or the prefix itself; nil when it matches nothing
// below dir.
func (p Pattern) at(dir string) []int32 {
	switch {
	case p.p.glob == nil:
		return nil
	case p.p.path == dir:
		return p.p.glob.Begin()
	}
	rest, ok := cutDir(dir, p.p.path)
	if !ok {
		return nil
	}
	next, _ := p.p.glob.match(p.p.glob.Begin(), rest)
	return next
}

// CoversAllBelow reports whether the pattern matches every path below dir (`dir/**`), those aside that hold a ".git" or
// are invisible. It never says so wrongly, and sees it of `dir/**`, `dir/**/*`, `**`, `dir/{*,*/**}` and their like.
func (p Pattern) CoversAllBelow(dir string) bool {
	if p.p == nil || p.p.glob == nil {
		return false
	}
	return p.p.glob.coversAll(p.at(dir))
}

// coversAll follows, from the places at, only what takes any name. The places after ever more such names repeat soon; where
// they do not, it gives up.
func (g *Program) coversAll(at []int32) bool {
	for range maxCoverDepth {
		if len(at) == 0 {
			return false
		}
		next, end := g.stepAny(at)
		if !end {
			return false
		}
		if equal(next, at) {
			return true
		}
		at = next
	}
	return false
}

const maxCoverDepth = 16

// stepAny is step for a name of which nothing is known.
func (g *Program) stepAny(at []int32) (next []int32, end bool) {
	var to []int32
	for _, pc := range at {
		if i := g.shape[pc]; i >= 0 {
			if sh := &g.shapes[i]; sh.star && sh.prefix == "" && sh.suffix == "" {
				end = end || sh.end
				if sh.next >= 0 {
					to = append(to, sh.next)
				}
			}
			continue
		}
		if in := &g.insts[pc]; in.op == opDeep {
			to = append(to, pc)
			end = end || in.arg == 1
		}
	}
	if len(to) == 0 {
		return nil, end
	}
	s := getScratch(len(g.insts))
	defer s.put()
	return s.segmentRoots(g, nil, to), end
}

// equal reports whether two lists hold the same places in the same order.
func equal(a, b []int32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// IsZero reports whether p was never parsed.
func (p Pattern) IsZero() bool { return p.p == nil }

// Path is the path that a literal names, and the fixed prefix of a glob, where a walk begins: characters, no escapes.
func (p Pattern) Path() string { return p.p.path }

// Program is what a walk resumes at each directory below FixedPrefix; nil for a literal.
func (p Pattern) Program() *Program { return p.p.glob }
