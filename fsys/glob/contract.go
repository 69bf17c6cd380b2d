// Package glob holds the patterns of chapter 1, section 8: parse, print, match, walk, and the exact question
// whether two patterns have a path in common.
package glob

import (
	"context"

	"github.com/haz-build/haz/fsys"
)

// Pattern is a parsed literal or glob. The zero value matches nothing. A Pattern is immutable, comparable by String of
// its anchored form, and compiled once.
type Pattern struct {
	p *pattern
}

type pattern struct{}

// A SyntaxError says why a text is no pattern.
type SyntaxError struct {
	Rule   string // "PATH-002", "PATH-011" ...
	Text   string // the pattern
	Offset int    // of the place in Text, in bytes
	Length int    // of the place, in bytes; at least 0
	Reason string // a sentence without the pattern: `segment 2 is ".."`
}

func (e *SyntaxError) Error() string { panic("contract") }

// Parse reads a pattern: project-relative, or workspace-absolute with a leading "/".
func Parse(text string) (Pattern, error) { panic("contract") } // error is *SyntaxError

// String gives the text it was parsed from; of an anchored pattern, the workspace-absolute text (the directory's
// characters escaped where the pattern is a glob; a literal stays as it is).
func (p Pattern) String() string { panic("contract") }

// IsLiteral reports whether the pattern names exactly one path.
func (p Pattern) IsLiteral() bool { panic("contract") }

// IsAbsolute reports whether the text starts with "/".
func (p Pattern) IsAbsolute() bool { panic("contract") }

// Anchor makes a relative pattern workspace-absolute below dir ("/" or "/libs/core"), segment by segment, so that glob
// characters in dir mean themselves. An absolute pattern is returned as it is.
func (p Pattern) Anchor(dir string) Pattern { panic("contract") }

// Match reports whether a workspace-absolute path matches the anchored pattern. It looks at text alone.
func (p Pattern) Match(path string) bool { panic("contract") }

// FixedPrefix is the directory made of the leading literal segments ("/lib/out" of "/lib/out/*.o"; of a literal, all but
// the last: "/lib/out" of "/lib/out/a.o"); "/" when there are none.
func (p Pattern) FixedPrefix() string { panic("contract") }

// CoversAllBelow reports whether the pattern matches every path below dir (`dir/**`).
func (p Pattern) CoversAllBelow(dir string) bool { panic("contract") }

// MayMatchBelow reports whether some path below dir could match: false means that a walk need not enter dir.
func (p Pattern) MayMatchBelow(dir string) bool { panic("contract") }

// Overlap reports, exactly, whether some path matches both anchored patterns (S-03).
func Overlap(a, b Pattern) bool { panic("contract") }

// A Tree reads directories of a workspace and remembers the listings, so that one listing serves all patterns and tasks
// that see the same state of the tree. Safe for concurrent use.
type Tree struct{}

// NewTree makes a tree without any listing.
func NewTree(fs fsys.FS) *Tree { panic("contract") }

// Forget drops the listings of the directory dir and of all below it (a task wrote there).
func (t *Tree) Forget(dir string) { panic("contract") }

// ForgetAll drops all listings.
func (t *Tree) ForgetAll() { panic("contract") }

// Match is one thing on disk that a pattern matched.
type Match struct {
	Path string    // workspace-absolute; bytes
	Info fsys.Info // lstat
	// For links: the text, and what the link leads to (zero Kind: nothing, or a loop).
	LinkText string
	Target   fsys.Info
	// Entered says that Path is a directory link that the input walk entered (chapter 2, 5.3).
	Entered bool
	// Empty says that Path is an empty directory.
	Empty bool
	// BadName says why the name is no legal path (S-20), "" when it is one.
	BadName string
	// Pattern is the index in the walked list of the first pattern that matched.
	Pattern int
}

// Inputs walks the input patterns of a task (chapter 1, 8.4; chapter 2, 5.3). A path counts once however many patterns
// match. Matches are sorted by path. Globs yield files, links (to files; to nothing, with the text), entered directory
// links, and empty directories; special files are left out. Literals yield whatever lies there, missing ones are listed
// in missing. exclude takes matches of globs away.
func (t *Tree) Inputs(ctx context.Context, patterns, exclude []Pattern) (matches []Match, missing []Pattern, err error) {
	panic("contract")
}

// OutputsFound is what a walk for outputs saw (chapter 2, 4.6).
type OutputsFound struct {
	Matches []Match   // sorted by path, each once; links are not followed but in fixed prefixes inside the workspace
	Missing []Pattern // literal patterns with nothing there
	// Hidden lists what could hide a match and so makes the result not storable: sentences that name the path.
	Hidden []string
}

// Outputs walks the output patterns of a task: never out of the workspace, directory links only inside a fixed prefix.
// Directories are matches of globs only when empty; literal patterns yield whatever lies there.
func (t *Tree) Outputs(ctx context.Context, patterns []Pattern) (OutputsFound, error) {
	panic("contract")
}

// Directories expands one entry of the workspace's project list (chapter 1, 2.2) to the directories that match, sorted.
func (t *Tree) Directories(ctx context.Context, p Pattern) ([]string, error) { panic("contract") }
