// Package guess looks on the disk for what a pattern that selects nothing was meant to select (chapter 1, 8.5).
package guess

import (
	"context"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// A Guesser looks on the disk for what a pattern was meant to select. It only reads, and trouble on the way makes it know less,
// never fail: what it finds is there, and a pattern that it proposes selects something.
type Guesser struct {
	FS   fsys.FS
	Tree *tree.Tree
}

// Selects reports whether a pattern selects anything now, as an input would.
func (g Guesser) Selects(ctx context.Context, d workspace.PatternDecl, exclude []workspace.PatternDecl) bool {
	return len(g.Tree.Some(ctx, d.Pattern, workspace.Patterns(exclude), 1)) > 0
}

// Meant is about a pattern of a project in dir that selects nothing. absent is the first folder or file on its way that is not
// there, "" when it is a wildcard that fails; meant is the nearest text that selects something, "" when there is none.
func (g Guesser) Meant(ctx context.Context, dir string, d workspace.PatternDecl) (absent, meant string) {
	s := g.spelling(ctx, dir, d.Text)
	absent, near := s.correct()
	if near {
		return absent, s.text()
	}
	for _, other := range elsewhere(dir, d.Text) {
		if g.any(ctx, dir, other) {
			return absent, other
		}
	}
	return absent, ""
}

// elsewhere are texts that name the same from another place: from the root instead of the project, or the other way round, and
// with the slashes of this side of the world.
func elsewhere(dir, text string) []string {
	var list []string
	if rest, ok := strings.CutPrefix(text, "/"); ok {
		list = append(list, rest)
	} else if rest, ok := strings.CutPrefix("/"+text, dir+"/"); ok {
		list = append(list, rest)
	} else if dir != "/" {
		list = append(list, "/"+text)
	}
	if strings.Contains(text, `\`) {
		list = append(list, strings.ReplaceAll(text, `\`, "/"))
	}
	return list
}

// Unescaped is about a text with a set, braces or a backslash: when a file has these characters in its name, and the pattern
// does not select it, path is the file and spelling the text that does.
func (g Guesser) Unescaped(ctx context.Context, dir string, d workspace.PatternDecl, exclude []workspace.PatternDecl) (path, spelling string) {
	if !strings.ContainsAny(d.Text, `[{\`) {
		return "", ""
	}
	not := append(workspace.Patterns(exclude), d.Pattern)
	for _, text := range literally(d.Text) {
		p, err := pattern.Parse(text)
		if err != nil {
			continue
		}
		if found := g.Tree.Some(ctx, p.Anchor(dir), not, 1); len(found) > 0 {
			return found[0], text
		}
	}
	return "", ""
}

// literally are the texts in which sets, braces and backslashes are characters: in all segments, and in one at a time.
func literally(text string) []string {
	escape := strings.NewReplacer(`[`, `\[`, `{`, `\{`, `}`, `\}`, `\`, `\\`)
	list := []string{escape.Replace(text)}
	segments := strings.Split(text, "/")
	for i, s := range segments {
		if e := escape.Replace(s); e != s {
			one := slices.Clone(segments)
			one[i] = e
			if t := strings.Join(one, "/"); !slices.Contains(list, t) {
				list = append(list, t)
			}
		}
	}
	return list
}

// any reports whether a text, as a pattern of a project in dir, selects anything.
func (g Guesser) any(ctx context.Context, dir, text string) bool {
	return len(g.some(ctx, dir, text, 1)) > 0
}

func (g Guesser) some(ctx context.Context, dir, text string, most int) []string {
	p, err := pattern.Parse(text)
	if err != nil {
		return nil
	}
	return g.Tree.Some(ctx, p.Anchor(dir), nil, most)
}

// spelling is a text under correction, segment by segment.
type spelling struct {
	g        Guesser
	ctx      context.Context
	dir      string // where a relative text begins
	root     string // "/" for an absolute text, else ""
	segments []string
}

func (g Guesser) spelling(ctx context.Context, dir, text string) *spelling {
	s := &spelling{g: g, ctx: ctx, dir: dir}
	if rest, ok := strings.CutPrefix(text, "/"); ok {
		s.dir, s.root, text = "/", "/", rest
	}
	s.segments = segments(text)
	return s
}

// segments splits a text at the slashes that are outside of braces.
func segments(text string) []string {
	var list []string
	start, braces := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '{':
			braces++
		case '}':
			braces--
		case '/':
			if braces == 0 {
				list = append(list, text[start:i])
				start = i + 1
			}
		}
	}
	return append(list, text[start:])
}

func (s *spelling) text() string { return s.root + strings.Join(s.segments, "/") }

// upTo is the text of the first n segments, followed by more.
func (s *spelling) upTo(n int, more ...string) string {
	return s.root + strings.Join(append(slices.Clone(s.segments[:n]), more...), "/")
}

func wild(segment string) bool { return strings.ContainsAny(segment, `*?[{\`) }

// correct replaces segments that fail by the nearest names. near is true when there was something to replace, and what came of
// it selects something.
func (s *spelling) correct() (absent string, near bool) {
	plain := true // no wildcard so far
	for i, segment := range s.segments {
		plain = plain && !wild(segment)
		if s.there(i) {
			continue
		}
		if absent == "" && plain {
			absent = join(s.dir, s.segments[:i+1])
		}
		if i < len(s.segments)-1 && plain && s.isFile(i) { // what follows asks for a folder
			s.segments = s.segments[:i+1]
			return absent, s.g.any(s.ctx, s.dir, s.text())
		}
		other := s.nearest(i)
		if other == "" {
			return absent, false
		}
		s.segments[i] = other
		near = true
	}
	return absent, near && s.g.any(s.ctx, s.dir, s.text())
}

func join(dir string, segments []string) string {
	return strings.TrimSuffix(dir, "/") + "/" + strings.Join(segments, "/")
}

// there reports whether something is at the first i+1 segments, or below them where more follow.
func (s *spelling) there(i int) bool {
	if !slices.ContainsFunc(s.segments[:i+1], wild) { // asked of the disk: a walk does not see folders that hold nothing
		info, err := s.g.FS.StatInfo(join(s.dir, s.segments[:i+1]))
		return err == nil && (i == len(s.segments)-1 || info.Kind == fsys.Dir)
	}
	if i == len(s.segments)-1 {
		return s.g.any(s.ctx, s.dir, s.text())
	}
	return s.g.any(s.ctx, s.dir, s.upTo(i+1, "**"))
}

// isFile reports whether a file lies at the first i+1 segments, which have no wildcard.
func (s *spelling) isFile(i int) bool {
	info, err := s.g.FS.StatInfo(join(s.dir, s.segments[:i+1]))
	return err == nil && info.Kind == fsys.File
}

// nearest is what segment i could have meant, spelled as in a pattern; "" when nothing is near.
func (s *spelling) nearest(i int) string {
	segment := s.segments[i]
	if !wild(segment) {
		return pattern.Escape(nearestName(segment, s.names(i)))
	}
	suffix, ok := strings.CutPrefix(segment, "*.")
	if !ok || i < len(s.segments)-1 {
		return ""
	}
	suffixes := []string{suffix}
	if list, ok := strings.CutPrefix(suffix, "{"); ok && strings.IndexByte(list, '}') == len(list)-1 {
		suffixes = strings.Split(list[:len(list)-1], ",")
	}
	var endings []string
	for _, name := range s.names(i) {
		for at := 0; at < len(name); at++ {
			if name[at] == '.' {
				endings = append(endings, name[at:])
			}
		}
	}
	for _, suffix := range suffixes {
		if wild(suffix) {
			continue
		}
		if near := nearestName("."+suffix, endings); near != "" {
			return "*" + pattern.Escape(near)
		}
	}
	return ""
}

// namesMax is how many files are looked at for the names that a segment could have meant.
const namesMax = 1000

// names are those that lie where segment i does: of folders, where more segments follow.
func (s *spelling) names(i int) []string {
	last := i == len(s.segments)-1
	if slices.ContainsFunc(s.segments[:i], wild) {
		if !last {
			return nil // what lies where is not worth a walk of everything
		}
		var names []string
		for _, p := range s.g.some(s.ctx, s.dir, s.upTo(i, "*"), namesMax) {
			names = append(names, p[strings.LastIndexByte(p, '/')+1:])
		}
		return names
	}
	above := s.dir
	if i > 0 {
		above = join(s.dir, s.segments[:i])
	}
	entries, err := s.g.FS.List(above)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if last || e.Kind == fsys.Dir || e.Kind == fsys.Link || e.Kind == fsys.Unknown {
			names = append(names, e.Name)
		}
	}
	return names
}

// nearestName is diag.Nearest, to which a name that differs in case alone is the nearest of all.
func nearestName(word string, names []string) string {
	slices.Sort(names)
	for _, n := range names {
		if n != word && strings.EqualFold(n, word) {
			return n
		}
	}
	if near := diag.Nearest(word, names); near != "" {
		return near
	}
	for _, n := range names {
		if word != "" && (abbreviates(n, word) || abbreviates(word, n)) {
			return n
		}
	}
	return ""
}

// abbreviates reports whether short is the beginning of long, or of its consonants: doc of documents, src of sources.
func abbreviates(short, long string) bool {
	if len(short) < 3 {
		return false
	}
	consonants := long[:1] + strings.Map(func(r rune) rune {
		if strings.ContainsRune("aeiou", r) {
			return -1
		}
		return r
	}, long[1:])
	return strings.HasPrefix(long, short) || strings.HasPrefix(consonants, short)
}
