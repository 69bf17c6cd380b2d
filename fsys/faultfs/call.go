package faultfs

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/haz-build/haz/fsys"
)

// Op is what a call does. Calls of afero's and of fsys' methods that do the same have the same Op.
type Op uint8

const (
	OpLstat Op = iota
	OpStat     // Stat, StatInfo, and of an open file
	OpList     // also Readdir of an open directory
	OpReadlink
	OpRealPath
	OpReadFile
	OpOpen // for reading
	OpSub
	OpRead // of an open file, like all that follows down to OpSync
	OpClose
	OpMark // of a lock set

	opFirstWrite // all below change something

	OpOpenWrite // may create or empty the file
	OpWrite
	OpTruncate
	OpSync
	OpMkdir // also Mkfifo
	OpRemove
	OpRename
	OpLink
	OpSymlink
	OpChmod
	OpChown
	OpChtimes
	OpClone
	OpOpenLocks
	OpTryLock
	OpUnlock
)

var opNames = [...]string{
	OpLstat: "lstat", OpStat: "stat", OpList: "list", OpReadlink: "readlink", OpRealPath: "realpath", OpReadFile: "readfile",
	OpOpen: "open", OpSub: "sub", OpRead: "read", OpClose: "close", OpMark: "mark",
	OpOpenWrite: "openwrite", OpWrite: "write", OpTruncate: "truncate", OpSync: "sync", OpMkdir: "mkdir", OpRemove: "remove",
	OpRename: "rename", OpLink: "link", OpSymlink: "symlink", OpChmod: "chmod", OpChown: "chown", OpChtimes: "chtimes",
	OpClone: "clone", OpOpenLocks: "openlocks", OpTryLock: "trylock", OpUnlock: "unlock",
}

func (o Op) String() string { return opNames[o] }

func (o Op) reads() bool { return o == OpRead || o == OpReadFile }

func (o Op) movesBytes() bool { return o.reads() || o == OpWrite }

// Call is one operation.
type Call struct {
	Index int // among all calls, from 0
	Op    Op
	Name  string // in the FS that New made, also for calls through Sub
	New   string // the second name of a rename, link or clone
	Bytes int    // asked to be read or written, of OpRead and OpWrite
}

// Writes reports whether the call may change something on disk, or makes a change safe.
func (c Call) Writes() bool { return c.Op > opFirstWrite }

// Reads is the opposite of Writes.
func (c Call) Reads() bool { return !c.Writes() }

func (c Call) String() string {
	s := fmt.Sprintf("%d %v %s", c.Index, c.Op, c.Name)
	if c.New != "" {
		s += " " + c.New
	}
	return s
}

// Is matches calls of some kinds.
func Is(ops ...Op) func(Call) bool {
	return func(c Call) bool { return slices.Contains(ops, c.Op) }
}

// Under matches calls on the directory dir and what is below it, with either name.
func Under(dir string) func(Call) bool {
	dir = fsys.Clean(dir)
	under := func(name string) bool {
		return dir == "/" || name == dir || strings.HasPrefix(name, dir+"/")
	}
	return func(c Call) bool { return under(c.Name) || c.New != "" && under(c.New) }
}

// All matches what all of matches match.
func All(matches ...func(Call) bool) func(Call) bool {
	return func(c Call) bool {
		for _, match := range matches {
			if !match(c) {
				return false
			}
		}
		return true
	}
}

// Injection is one kind of fault.
type Injection struct {
	Op    Op
	Err   string
	Short bool
}

func (i Injection) String() string {
	if i.Short {
		return fmt.Sprintf("short %v", i.Op)
	}
	return fmt.Sprintf("%v: %s", i.Op, i.Err)
}

// Counts says how many faults of each kind there were.
type Counts map[Injection]int

// Add puts the counts of o to those of c.
func (c Counts) Add(o Counts) {
	for i, n := range o {
		c[i] += n
	}
}

// Total is the number of all faults.
func (c Counts) Total() int {
	total := 0
	for _, n := range c {
		total += n
	}
	return total
}

// String lists the kinds, sorted, one a line, with their numbers.
func (c Counts) String() string {
	kinds := make([]Injection, 0, len(c))
	for i := range c {
		kinds = append(kinds, i)
	}
	slices.SortFunc(kinds, func(a, b Injection) int {
		if a.Op != b.Op {
			return int(a.Op) - int(b.Op)
		}
		return strings.Compare(a.String(), b.String())
	})
	var b strings.Builder
	for _, i := range kinds {
		fmt.Fprintf(&b, "%7d  %v\n", c[i], i)
	}
	return b.String()
}

// errShortRead is what a read that promised all bytes says when it was cut short.
var errShortRead = io.ErrUnexpectedEOF
