package store

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/fsys"
)

// Results that hold the path of their workspace. Tools write it into what they make (CMakeCache.txt, virtual environments, debug
// information), and in another workspace that shares the cache such a result is wrong: it leads back to the first one. So what is
// stored is searched for the path, and an entry in which it was found is bound to that root: all others miss it.

// maxRoot bounds a path that is looked for, in bytes.
const maxRoot = 4096

// variant is the key of the place where an entry of k lies that is bound to a root, when the place of k itself is taken by an
// entry that is bound to another one.
func variant(fn digest.Function, k entry.Key, root string) entry.Key {
	b := append([]byte("haz: an entry bound to a root\n"), k[:]...)
	return hasher.Sum(fn, append(b, root...))
}

// lookFor makes the search for the paths of the root; nil when there is nothing to look for: the root is "/", or unknown.
func lookFor(r manifest.Root) *spellings {
	l := &spellings{}
	for _, path := range append([]string{r.Path}, r.Seen...) {
		if len(path) < 2 || len(path) > maxRoot || path[0] != '/' {
			continue
		}
		for _, text := range spell(path) {
			l.add(text, strings.Count(path, "/") == 1)
		}
	}
	if len(l.groups) == 0 {
		return nil
	}
	return l
}

// spell lists how tools write a path: as it is, in a JSON string with and without escaped slashes and in ASCII alone, in a URL,
// and in a shell or a Makefile.
func spell(path string) []string {
	json := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path)
	var ascii, url, shell strings.Builder
	for i := range len(path) {
		switch c := path[i]; {
		case c == '/' || plainByte(c):
			url.WriteByte(c)
		default:
			fmt.Fprintf(&url, "%%%02X", c)
		}
		if c := path[i]; c < 0x80 && c != '/' && !plainByte(c) {
			shell.WriteByte('\\')
		}
		shell.WriteByte(path[i])
	}
	for _, r := range json {
		switch high, low := utf16.EncodeRune(r); {
		case r < utf8.RuneSelf:
			ascii.WriteRune(r)
		case high == utf8.RuneError:
			fmt.Fprintf(&ascii, `\u%04x`, r)
		default:
			fmt.Fprintf(&ascii, `\u%04x\u%04x`, high, low)
		}
	}
	all := []string{path, json, ascii.String(), url.String(), shell.String()}
	for _, text := range []string{json, ascii.String()} {
		all = append(all, strings.ReplaceAll(text, "/", `\/`))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// plainByte reports whether all spellings leave c as it is.
func plainByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == '~'
}

// spellings are the texts that are looked for, by the piece of them that is searched for first.
type spellings struct {
	groups  []spelled
	longest int // bytes of the longest text
}

// spelled are the texts that have one piece in common.
type spelled struct {
	piece []byte
	texts []anchored
}

// anchored is a text, and where its piece begins. A word is one segment only ("/app"), which also occurs in paths of other
// places and in other words, so that what stands around it counts.
type anchored struct {
	text string
	at   int
	word bool
}

func (l *spellings) add(text string, word bool) {
	from, to := rarest(text)
	a := anchored{text: text, at: from, word: word}
	l.longest = max(l.longest, len(text))
	piece := text[from:to]
	for i := range l.groups {
		if string(l.groups[i].piece) == piece {
			if !slices.Contains(l.groups[i].texts, a) {
				l.groups[i].texts = append(l.groups[i].texts, a)
			}
			return
		}
	}
	l.groups = append(l.groups, spelled{piece: []byte(piece), texts: []anchored{a}})
}

// rarest finds the piece to search for: of the plain runs that are long enough to be worth it the one that is the longest,
// from its rarest character on, so that a search stops seldom. All spellings of a path have their runs in common.
func rarest(text string) (from, to int) {
	const most, least = 60, 4
	for i := 0; i < len(text); {
		j := i
		for j < len(text) && plainByte(text[j]) {
			j++
		}
		if j-i > to-from {
			from, to = i, j
		}
		i = j + 1
	}
	if to == from { // nothing but what some spelling changes
		return 0, len(text)
	}
	best := from
	for i := from; i <= max(from, to-least); i++ {
		if frequency(text[i]) < frequency(text[best]) {
			best = i
		}
	}
	return best, min(to, best+most)
}

// frequency ranks bytes by how often texts and programs have them.
func frequency(c byte) int {
	return 1 + strings.IndexByte("QXZJKYWVqzjxkVUGHwbvypgfFHGBM~PDCNLRSOITAE-_5798643mu21hdclsnr0oia.te", c)
}

// A rootSearch looks for the path of the workspace in what it is fed, piece by piece.
type rootSearch struct {
	l     *spellings
	tail  []byte // the end of what came before
	found bool
}

// reach is how many bytes must be known around a place to judge it.
const reach = 2

// over passes src on and searches what is read from it.
func (s *rootSearch) over(src io.Reader) io.Reader {
	if s.l == nil || s.found {
		return src
	}
	s.tail = s.tail[:0]
	return &searching{src, s}
}

// text searches one text by itself.
func (s *rootSearch) text(text string) bool {
	if s.l == nil {
		return false
	}
	hit := s.l.in([]byte(text))
	s.found = s.found || hit
	return hit
}

type searching struct {
	src io.Reader
	s   *rootSearch
}

func (r *searching) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	r.s.feed(p[:n])
	return n, err
}

// feed searches the next bytes of a file, and what lies across their beginning.
func (s *rootSearch) feed(b []byte) {
	if s.found || len(b) == 0 {
		return
	}
	keep := s.l.longest + 2*reach
	if len(s.tail) > 0 {
		joint := append(s.tail, b[:min(len(b), keep)]...)
		s.found = s.l.in(joint)
		s.tail = joint[:len(s.tail)]
	}
	s.found = s.found || s.l.in(b)
	if len(b) >= keep {
		s.tail = append(s.tail[:0], b[len(b)-keep:]...)
		return
	}
	s.tail = append(s.tail, b...)
	if n := len(s.tail) - keep; n > 0 {
		s.tail = append(s.tail[:0], s.tail[n:]...)
	}
}

// in reports whether one of the texts stands in b. At an edge of b a word counts: better one entry too many is bound.
func (l *spellings) in(b []byte) bool {
	for i := range l.groups {
		g := &l.groups[i]
		for from := 0; ; {
			at := bytes.Index(b[from:], g.piece)
			if at < 0 {
				break
			}
			at += from
			if slices.ContainsFunc(g.texts, func(a anchored) bool { return a.stands(b, at-a.at) }) {
				return true
			}
			from = at + 1
		}
	}
	return false
}

// stands reports whether the text stands at b[at:].
func (a *anchored) stands(b []byte, at int) bool {
	if at < 0 || at+len(a.text) > len(b) || string(b[at:at+len(a.text)]) != a.text {
		return false
	}
	if !a.word {
		return true
	}
	if end := at + len(a.text); end < len(b) && plainByte(b[end]) {
		return false
	}
	if at == 0 || !plainByte(b[at-1]) {
		return true
	}
	return at > 1 && b[at-2] == '-' // -I/src
}

// placeFor says where the entry will lie, and makes the shard of it: in the place of its key, or, when an entry lies there that is
// bound to another root, in the one that this root has beside it. So both stay.
func (s *Store) placeFor(root fsys.FS, m *manifest.Manifest) error {
	if s.home.Path == "" {
		return nil
	}
	there, miss := manifest.ReadManifest(root, site.EntryOf(m.Key))
	if miss != nil || there.ServesRoot(&s.home) {
		return nil
	}
	m.Key = variant(s.Hash, m.Key, s.home.Name())
	return shardMaker(root, m.Key)()
}
