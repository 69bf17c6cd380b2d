package pattern

import (
	"cmp"
	"strings"

	"github.com/haz-build/haz/layout"
)

const (
	GitName       = ".git"          // no wildcard matches a name that is this
	RestorePrefix = ".haz-restore-" // no pattern matches a name that begins with this, nor layout.CacheDir, layout.StateDir and what is in them
)

// Invisible reports whether no pattern may match path, by its text.
func Invisible(path string) bool {
	i := strings.Index(path, layout.Dir)
	if i < 0 {
		return false
	}
	return IsOrBelow(path, layout.CacheDir) || IsOrBelow(path, layout.StateDir) || strings.Contains(path[i:], "/"+RestorePrefix)
}

// IsOrBelow reports whether a workspace path is dir or lies below it, by their texts. No path is below "/" here.
func IsOrBelow(path, dir string) bool {
	return strings.HasPrefix(path, dir) && (len(path) == len(dir) || path[len(dir)] == '/')
}

// IsBelow reports whether a clean path lies below the directory dir, by their texts.
func IsBelow(path, dir string) bool {
	if dir == "/" {
		return len(path) > 1
	}
	return len(path) > len(dir) && IsOrBelow(path, dir)
}

// ComparePaths orders by segments: byte order with "/" before all other bytes, so that all of `/a/…` follows `/a` at once,
// and `/a-b` comes after it.
func ComparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			switch {
			case a[i] == '/':
				return -1
			case b[i] == '/':
				return 1
			}
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

// Parent is the directory that a clean path lies in; "/" for that itself.
func Parent(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}

// A pathState is what must be known of the beginning of a path to see whether it can be the path of something visible. It
// is the third automaton of an overlap, which makes its answers those about real paths: no empty, "." or ".." segment, and
// nothing that invisible hides.
type pathState uint8

// pathNode is a state's row of the table.
type pathNode struct {
	chars   []rune      // the characters that do not lead to other
	to      []pathState // where each of them leads
	other   pathState   // where any other character leads
	slash   pathState   // where "/" leads; deadPath when a segment cannot end here
	end     bool        // a path can end here
	git     bool        // the segment so far begins ".git"
	spelled bool        // it is ".git"
}

const deadPath pathState = 0

var (
	paths []pathNode
	// Where a segment begins: the first of a path, the one behind "/.haz/", any other.
	firstSegment, hazSegment, segment pathState
	// plainName is in a segment that is like none of the names that matter.
	plainName pathState
)

func init() {
	paths = make([]pathNode, 1)
	plainName = newPathState(pathNode{end: true})
	paths[plainName].other = plainName
	segment = newPathState(pathNode{other: plainName})
	hazSegment = newPathState(pathNode{other: plainName})
	firstSegment = newPathState(pathNode{other: plainName})
	paths[plainName].slash = segment
	for _, start := range []pathState{segment, hazSegment, firstSegment} {
		for _, name := range []string{".", ".."} {
			n := addName(start, name)
			paths[n].slash, paths[n].end = deadPath, false
		}
		git := addName(start, GitName)
		paths[git].spelled = true
		for n, at := start, 0; ; at++ {
			paths[n].git = true
			if at == len(GitName) {
				break
			}
			n = paths[n].to[indexRune(paths[n].chars, rune(GitName[at]))]
		}
		almost := addName(start, RestorePrefix[:len(RestorePrefix)-1])
		paths[almost].chars, paths[almost].to = []rune{'-'}, []pathState{deadPath}
	}
	haz := addName(firstSegment, layout.Name)
	paths[haz].slash = hazSegment
	for _, dir := range []string{layout.CacheDir, layout.StateDir} {
		n := addName(hazSegment, dir[len(layout.Dir+"/"):])
		paths[n].slash, paths[n].end = deadPath, false
	}
}

func newPathState(n pathNode) pathState {
	paths = append(paths, n)
	return pathState(len(paths) - 1)
}

// addName makes the states of a name from start, where there are none yet, and returns the one behind its last character.
func addName(start pathState, name string) pathState {
	n := start
	for _, c := range name {
		i := indexRune(paths[n].chars, c)
		if i < 0 {
			i = len(paths[n].chars)
			next := newPathState(pathNode{other: plainName, slash: segment, end: true})
			paths[n].chars = append(paths[n].chars, c)
			paths[n].to = append(paths[n].to, next)
		}
		n = paths[n].to[i]
	}
	return n
}

func indexRune(chars []rune, c rune) int {
	for i, x := range chars {
		if x == c {
			return i
		}
	}
	return -1
}

// read is the state behind c.
func (s pathState) read(c rune) pathState {
	n := &paths[s]
	if c == '/' {
		return n.slash
	}
	if i := indexRune(n.chars, c); i >= 0 {
		return n.to[i]
	}
	return n.other
}

// pathBehind is the state behind dir and a slash.
func pathBehind(dir string) pathState {
	s := firstSegment
	if dir == "/" {
		return s
	}
	for i := 1; i < len(dir); i++ { // bytes are enough: what the table knows is ASCII
		s = s.read(rune(dir[i]))
	}
	return s.read('/')
}
