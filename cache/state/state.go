// Package state keeps what haz knows beside the cache, under .haz/state: stat index, product lists of produced files, last keys,
// task locks. All of it is disposable: losing it costs work, never another outcome (chapter 2, section 8).
//
// Every record here carries a digest of itself. One that does not hold together is as one that is absent. All are lines of text, but for
// the index, which is used where it lies. The index and the secret are renamed into place; product lists and last keys, of which a run writes one a
// task, are appended to logs.
//
// It is one folder although it has many files: index, logs and locks share one handle on a directory that anybody may delete while it
// is used (home), the clock of its file system (clock) and what is known of mounts (volumes), which nobody else should see.
package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// The limits of chapter 2, section 12, that concern this package, in one place.
const (
	// racyWindow is how much older than recorded-at mtime and ctime must be, so that a stat that is equal proves something, where times are not fine.
	racyWindow = 2 * time.Second

	// keepUnknown is how long the records of a task that no longer exists are kept.
	keepUnknown = 30 * 24 * time.Hour

	// keepTemporary is how old a temporary file must be to count as left over.
	keepTemporary = 24 * time.Hour

	// Who puts a workspace together may put anything here. So nothing is read that is longer, or holds more, than what is written
	// at most, and what is written at most does not take much memory.
	maxIndex    = 512 << 20 // bytes of a stat index; one of another start of the system is not read
	maxProducts = 64 << 20  // bytes of the record of a product list
	maxRows     = 1 << 18   // paths in a product list
	maxLastKey  = 32 << 20  // bytes of the record of a last key
	maxRewrite  = 16 << 20  // bytes of the record of rewritten paths
	maxRemake   = 64 << 10  // bytes of the record of a remake
	maxTasks    = 24 << 20  // bytes of what is known of the tasks of a log: names, and taskCost for each
	taskCost    = 64
	maxMemory   = 32 << 20  // bytes of product lists of other tasks that are remembered
	smallFile   = 256 << 10 // bytes up to which a file is read in one piece
	chunk       = 256 << 10 // bytes digested between two looks at the context
)

// State is the open .haz/state of one workspace and one hash function. Safe for concurrent use.
//
// Nothing is created on disk before the first write. A failing disk is never an error for the caller: reads are empty,
// writes are lost, and Trouble says so once.
type State struct {
	ws   fsys.FS
	host fsys.FS // of the machine; nil: names of it lead nowhere
	fn   digest.Function
	boot digest.Digest // of what tells this run of the system from others
	told bool          // the system says what that is

	home    home
	index   index
	volumes volumes
	clock   clock
	locks   locks

	products, keys, rewrites, remakes log
	fineOn                            func() uint64 // the device with fine times; 0 where there is none
	today                             func() int64  // unix seconds of the file system when this State was first asked; 0 when unknown
	asked                             func() bool   // whether any task was to be carried out again when this State was first asked

	making sync.Mutex // of the secret

	mu       sync.Mutex
	secret   []byte
	memo     map[string]*memo // product lists that ListedBy has read
	memoSize int64
	trouble  []string
	noted    map[string]bool // kinds of trouble
	denied   *Denial
}

// A Denial is a place that may not be read or written.
type Denial struct {
	Name string // in the file system of the workspace
	Err  error
}

// Or is d, or where that is nil the denial that err is, if it is one.
func (d *Denial) Or(name string, err error) *Denial {
	if d == nil && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)) {
		return &Denial{name, err}
	}
	return d
}

// Open makes a State; it reads nothing yet. ws is the file system of the workspace root.
func Open(ws fsys.FS, fn digest.Function) *State {
	boot := bootID()
	s := &State{ws: ws, fn: fn, boot: hasher.Sum(digest.BLAKE3, []byte(boot)), told: boot != "", noted: map[string]bool{}}
	s.home.ws = ws
	s.products = log{s: s, name: producedName, kind: "produced", most: maxProducts}
	s.keys = log{s: s, name: keysName, kind: LastKeyKind, most: maxLastKey}
	s.rewrites = log{s: s, name: rewritesName, kind: "rewrites", most: maxRewrite}
	s.remakes = log{s: s, name: remakesName, kind: "remake", most: maxRemake}
	s.asked = sync.OnceValue(s.remakes.any)
	s.fineOn = sync.OnceValue(s.tryFine)
	s.today = sync.OnceValue(func() int64 { return s.Stamp() / int64(time.Second) })
	s.locks = locks{pid: os.Getpid(), ancestors: sync.OnceValue(ancestors), ancestorsOf: ancestorsOf, depth: sync.OnceValue(depth)}
	return s
}

// OpenReadOnly is Open for commands that change nothing: every write is dropped silently, and so nothing new is learned.
func OpenReadOnly(ws fsys.FS, fn digest.Function) *State {
	s := Open(ws, fn)
	s.home.readOnly = true
	return s
}

// OnMachine makes names of the machine known, for what lies in no workspace and is read all the same: programs. Call it before
// anything else.
func (s *State) OnMachine(host fsys.FS) { s.host = host }

// MachineName is the name by which Digest and what else asks the stat index knows a name of the machine, which begins with "/".
func MachineName(name string) string { return machineMark + fsys.Clean(name) }

// machineMark makes a name that no workspace has: there, none begins with "//".
const machineMark = "/"

// at is the file system on which a name of the index lies, and its name there.
func (s *State) at(name string) (fsys.FS, string) {
	if s.host != nil && strings.HasPrefix(name, "//") {
		return s.host, name[len(machineMark):]
	}
	return s.ws, name
}

// Trouble returns what could not be read or written, each once, for a note.
func (s *State) Trouble() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.trouble)
}

// Denied is the first place that may not be read or written; nil when there is none.
func (s *State) Denied() *Denial {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.denied
}

// note keeps the first trouble of each kind: a disk that is full fails a thousand product lists for one reason.
func (s *State) note(kind, name string, err error) {
	if err == nil || errors.Is(err, errReadOnly) || fsys.Absent(err) && kind == couldNotRead {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied = s.denied.Or(layout.StateDir+"/"+name, err)
	if s.noted[kind] {
		return
	}
	s.noted[kind] = true
	s.trouble = append(s.trouble, fmt.Sprintf("%s %s: %v", kind, s.ws.HostPath(layout.StateDir+"/"+name), fsys.Cause(err)))
}

const (
	couldNotRead  = "could not read"
	couldNotWrite = "could not write"
	couldNotLock  = "task locks do not work, so other haz processes are not waited for: could not lock"
)

// Flush writes the stat index when it has learned something, rewrites logs that have grown too long, and gives handles back;
// at the end of a run. State may be used on.
func (s *State) Flush() {
	s.flushIndex()
	s.products.flush()
	s.keys.flush()
	s.rewrites.flush()
	s.remakes.flush()
	s.locks.close()
	s.clock.close()
	s.home.close()
}
