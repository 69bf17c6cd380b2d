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
	"fmt"
	"path"
	"slices"
	"strings"
)

// Pattern is a parsed literal or glob. The zero value matches nothing. A Pattern is immutable, comparable by String of
// its anchored form, and compiled once.
//
// A literal selects what lies at its path; where that is a folder, all below it as well (PATH-021). With a slash at the end of the
// text it says that it is one (PATH-020), as does a glob with one: then what matches in front of the slash is a folder, and what
// is selected are those folders and all below them.
type Pattern struct {
	p *pattern
}

type pattern struct {
	text     string
	absolute bool
	path     string   // of a literal: the path it names. Of a glob: its fixed prefix, whose characters are themselves
	glob     *Program // what comes behind path; nil for literals. Anchoring does not change it
	walk     *Program // of a glob with a slash at the end: glob without the folders themselves, which a walk tells from files
	folder   bool     // the text ends with a slash
	except   []Pattern
	listed   *listed  // of Listed; else nil
	folders  *folders // of Folders; else nil
}

// Parse reads a pattern: project-relative, or workspace-absolute with a leading "/". The error is a *SyntaxError.
// String of the result is text, and no longer text than MaxPattern is taken.
func Parse(text string) (Pattern, error) {
	p, err := parse(text, true)
	if err != nil {
		return Pattern{}, err
	}
	return Pattern{p}, nil
}

// ParseEntry is Parse for patterns that select folders and not what lies in them: a slash at the end is a mistake (PATH-003), but for "/" itself,
// the root of the workspace (DISC-005).
func ParseEntry(text string) (Pattern, error) {
	if text == "/" {
		return Pattern{&pattern{text: text, absolute: true, path: text}}, nil
	}
	p, err := parse(text, false)
	if err != nil {
		return Pattern{}, err
	}
	return Pattern{p}, nil
}

func parse(text string, folders bool) (*pattern, *SyntaxError) {
	if len(text) > MaxPattern {
		return nil, &SyntaxError{Rule: "PATH-009", Text: text, Offset: MaxPattern, Length: len(text) - MaxPattern, Reason: "it is longer than 4096 bytes"}
	}
	name, folder := text, false
	if folders {
		if name, folder = strings.CutSuffix(text, "/"); name == "" || strings.HasSuffix(name, "/") {
			name, folder = text, false // no folder, and no pattern
		}
	}
	if !isGlob(text) {
		if err := checkLiteral(name); err != nil {
			err.Text = text
			return nil, err
		}
	}
	if err := checkCharacters(text); err != nil {
		return nil, err
	}
	p := &pattern{text: text, absolute: text[0] == '/', folder: folder}
	if !isGlob(text) {
		if p.path = name; !p.absolute {
			p.path = "/" + name
		}
		return p, nil
	}
	items, err := readGlob(name)
	if p.folder = folder && !strings.HasSuffix("/"+name, "/**"); err == nil && p.folder { // `**` selects all that is in its folders
		var below []item
		if below, err = readGlob(name + "/**"); err == nil {
			r := parser{text: name + "{,/**}", pos: len(name)} // "**" has no company, since the name stands alone or ends with a slash
			all, _ := r.items(false)
			items = append(slices.Clip(items), all...)
			_, behind := fixedPrefix(items)
			p.walk = compile(below[len(items)-len(behind):])
			p.walk.of = name[behind[0].off:] + "/"
		}
	}
	if err != nil {
		err.Text = text
		return nil, err
	}
	prefix, behind := fixedPrefix(items)
	p.path, p.glob = prefix, compile(behind)
	p.glob.of = text[behind[0].off:]
	return p, nil
}

// readGlob reads the text of a glob.
func readGlob(text string) ([]item, *SyntaxError) {
	start := 0
	if strings.HasPrefix(text, "/") {
		start = 1
	}
	r := parser{text: text, pos: start}
	items, err := r.items(false)
	if err == nil {
		err = checkSegments(text, items, start)
	}
	return items, err
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

// IsLiteral reports whether the pattern names one path.
func (p Pattern) IsLiteral() bool { return p.p != nil && p.p.glob == nil }

// Except is the pattern without what others match (PATH-023). Its texts are those of p. The list is kept and must not change.
func (p Pattern) Except(not []Pattern) Pattern {
	if len(not) == 0 || p.p == nil {
		return p
	}
	q := *p.p
	q.except = slices.Clip(not)
	if len(p.p.except) > 0 {
		q.except = slices.Concat(p.p.except, not)
	}
	return Pattern{&q}
}

// WithExceptions is the pattern with these exceptions in the place of its own. The list is kept and must not change.
func (p Pattern) WithExceptions(list []Pattern) Pattern {
	if p.p == nil {
		return p
	}
	q := *p.p
	q.except = slices.Clip(list)
	return Pattern{&q}
}

// Exceptions are the patterns whose matches are taken away.
func (p Pattern) Exceptions() []Pattern {
	if p.p == nil {
		return nil
	}
	return p.p.except
}

// TakesAway reports whether an exception matches path itself, or all that lies below it.
func (p Pattern) TakesAway(path string) bool {
	return slices.ContainsFunc(p.Exceptions(), func(x Pattern) bool { return x.Match(path) || x.CoversAllBelow(path) })
}

// Same reports whether two patterns are written alike: by their texts, what is taken from them, and the folders that they do not enter.
func Same(a, b Pattern) bool {
	if a.p == nil || b.p == nil || a.p == b.p {
		return a.p == b.p
	}
	if a.p.text != b.p.text || a.IsListed() != b.IsListed() || a.IsListed() && !slices.Equal(a.p.listed.below, b.p.listed.below) {
		return false
	}
	return slices.EqualFunc(a.p.except, b.p.except, Same)
}

// identity tells patterns apart that match otherwise. Of those with exceptions it is that of their list too, not its text: a list may be
// long, and many patterns may have it.
func (p Pattern) identity() string {
	text := p.p.text
	if p.p.listed != nil {
		text += fmt.Sprintf("\x00%p", p.p.listed)
	}
	if len(p.p.except) == 0 {
		return text
	}
	return fmt.Sprintf("%s\x00%p %d", text, &p.p.except[0], len(p.p.except))
}

// IsFolder reports whether the text of the pattern ends with a slash: it selects folders, and all below them.
func (p Pattern) IsFolder() bool { return p.p != nil && p.p.folder }

// IsAbsolute reports whether the text starts with "/".
func (p Pattern) IsAbsolute() bool { return p.p != nil && p.p.absolute }

// Anchor makes a relative pattern workspace-absolute below dir ("/" or "/libs/core"), segment by segment, so that glob
// characters in dir mean themselves. An absolute pattern is returned as it is. It is cheap: nothing is parsed or compiled.
func (p Pattern) Anchor(dir string) Pattern {
	if p.p == nil || p.p.absolute {
		return p
	}
	q := &pattern{absolute: true, path: below(dir, p.p.path), glob: p.p.glob, walk: p.p.walk, folder: p.p.folder, except: p.p.except}
	switch {
	case q.glob == nil && q.folder:
		q.text = q.path + "/"
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
	return p.matches(path) && !slices.ContainsFunc(p.p.except, func(x Pattern) bool { return x.Match(path) })
}

func (p Pattern) matches(path string) bool {
	if p.p == nil || Invisible(path) || p.inNested(path) {
		return false
	}
	if p.p.folders != nil {
		return p.p.folders.has(path)
	}
	if p.p.glob == nil {
		return path == p.p.path || IsOrBelow(path, p.p.path) && everything.matches(path[len(p.p.path)+1:])
	}
	rest, ok := cutDir(path, p.p.path)
	if !ok || !strings.HasSuffix(rest, p.p.glob.tail) {
		return false
	}
	return p.p.glob.matches(rest)
}

func (g *Program) matches(rest string) bool {
	_, end := g.match(g.Begin(), rest)
	return end
}

// Spares reports whether path is no output of the pattern because of an exception alone.
func (p Pattern) Spares(path string) bool { return p.matchesOutput(path) && !p.MatchOutput(path) }

// Names reports whether the pattern matches path itself, and not only because it lies in a folder that a literal names.
func (p Pattern) Names(path string) bool {
	return p.Match(path) && (p.p.glob != nil || path == p.p.path)
}

// everything is what a literal that is a folder selects below it.
var everything = compile([]item{{kind: itemDeep, end: 2}})

// Everything is what is selected below a folder that a literal names.
func Everything() *Program { return everything }

// Inside is a literal as a glob: what it selects if it is a folder, without that itself.
func (p Pattern) Inside() Pattern { return insideOf(p.p.path).Except(p.p.except) }

func insideOf(path string) Pattern {
	return Pattern{&pattern{text: path + "/**", absolute: true, path: path, glob: everything}}
}

// MatchOutput is Match for an output pattern: its wildcards match what is called ".git" too, but for the one in the root of
// the workspace, since such a thing can be what the task made (8.4).
func (p Pattern) MatchOutput(path string) bool {
	return p.matchesOutput(path) && !slices.ContainsFunc(p.p.except, func(x Pattern) bool { return x.MatchOutput(path) })
}

func (p Pattern) matchesOutput(path string) bool {
	if p.matches(path) {
		return true
	}
	if p.p == nil || p.p.folders != nil || !strings.Contains(path, "/"+GitName) || IsOrBelow(path, "/"+GitName) || Invisible(path) {
		return false
	}
	rest, ok := cutDir(path, p.p.path)
	if !ok {
		return false
	}
	g := p.p.glob
	if g == nil {
		g = everything
	}
	_, end := g.matchAll(g.Begin(), rest, func(string) bool { return false })
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

// FixedPrefix is the directory made of the leading literal segments ("/lib/out" of "/lib/out/*.o" and of "/lib/out/"; of a
// literal without a slash, all but the last: "/lib/out" of "/lib/out/a.o"); "/" when there are none.
func (p Pattern) FixedPrefix() string {
	switch {
	case p.p == nil:
		return "/"
	case p.p.glob == nil && !p.p.folder:
		return path.Dir(p.p.path)
	}
	return p.p.path
}

// MayMatchBelow reports whether some path below dir could match: false means that a walk need not enter dir.
func (p Pattern) MayMatchBelow(dir string) bool {
	if p.p == nil || Invisible(dir) || p.inNested(dir) || slices.ContainsFunc(p.p.except, func(x Pattern) bool { return x.CoversAllBelow(dir) }) {
		return false
	}
	if p.p.folders != nil {
		return p.p.folders.has(dir) || p.p.folders.below(dir)
	}
	if _, ok := cutDir(p.p.path, dir); ok || p.p.path == dir {
		return true
	}
	return len(p.at(dir)) > 0
}

// program is what comes behind the path of a pattern: of a literal, all that lies in it if it is a folder.
func (p Pattern) program() *Program {
	if p.p.glob == nil {
		return everything
	}
	return p.p.glob
}

// at is where a pattern stands in dir, a directory below its fixed prefix or the prefix itself; nil when it matches nothing
// below dir.
func (p Pattern) at(dir string) []int32 {
	if p.p.path == dir {
		return p.program().Begin()
	}
	rest, ok := cutDir(dir, p.p.path)
	if !ok {
		return nil
	}
	next, _ := p.program().match(p.program().Begin(), rest)
	return next
}

// CoversAllBelow reports whether the pattern matches every path below dir (`dir/**`), those aside that hold a ".git" or
// are invisible. It never says so wrongly, and sees it of `dir/**`, `dir/**/*`, `**`, `dir/{*,*/**}` and their like.
func (p Pattern) CoversAllBelow(dir string) bool {
	if p.p == nil || p.hasNested(dir) || p.inNested(dir) || slices.ContainsFunc(p.p.except, func(x Pattern) bool { return x.MayMatchBelow(dir) }) {
		return false
	}
	if p.p.folders != nil {
		return p.p.folders.has(dir)
	}
	return p.program().CoversAll(p.at(dir))
}

// CoversAll reports whether a program matches, from the places at, every path: as CoversAllBelow does. It follows only what takes
// any name. The places after ever more such names repeat soon; where they do not, it gives up.
func (g *Program) CoversAll(at []int32) bool {
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

// Program is what a walk resumes at each directory below Path; nil for a literal. Of a glob with a slash at the end it matches
// what lies in the folders and not them: those are where it matches all that comes (CoversAll).
func (p Pattern) Program() *Program {
	if p.p.walk != nil {
		return p.p.walk
	}
	return p.p.glob
}
