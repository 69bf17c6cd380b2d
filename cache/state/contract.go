// Package state keeps what haz knows beside the cache, under .haz/state: stat index, ledgers of produced files, last keys,
// task locks. All of it is disposable: losing it costs work, never another outcome (chapter 2, section 8).
package state

import (
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys"
)

// State is the open .haz/state of one workspace and one hash function. Safe for concurrent use.
// Nothing is created on disk before the first write. A failing disk is never an error for the caller: reads are empty,
// writes are lost, and Trouble says so once.
type State struct{}

// Open makes a State; it reads nothing yet. ws is the file system of the workspace root.
func Open(ws fsys.FS, fn digest.Function) *State { panic("contract") }

// Trouble returns what could not be read or written, each once, for a note.
func (s *State) Trouble() []string { panic("contract") }

// DigestFile is the digest of the bytes that name leads to (links are followed), through the stat index (S-26). info is
// what the caller's stat of name said (following links); where the file moved while it was read, moved is true and the
// digest is that of what was read. The Info returned is that of the file as it was read or trusted.
func (s *State) DigestFile(name string, info fsys.Info) (d digest.Digest, now fsys.Info, err error) {
	panic("contract")
}

// Remember puts a digest that the caller computed (while storing, restoring) into the index, with the stat that belongs to it.
func (s *State) Remember(name string, info fsys.Info, d digest.Digest) { panic("contract") }

// Young reports whether info's mtime or ctime is too young to be trusted as of a new probe (5.4): then "unchanged by stat" proves nothing.
func (s *State) Young(info fsys.Info) bool { panic("contract") }

// Flush writes the index; at the end of a run.
func (s *State) Flush() { panic("contract") }

// Produced is one path that a task made and left behind (8.2).
type Produced struct {
	Path      string // workspace-absolute; bytes
	Info      fsys.Info
	Digest    digest.Digest // zero where unknown
	HasDigest bool
	LinkText  string
}

// Ledger is what one task made and left behind.
type Ledger struct {
	Task  string // "lib:build"
	Key   digest.Digest
	At    int64      // unix seconds
	Files []Produced // sorted by path
}

// Ledger reads the ledger of a task; a bad or absent one is empty.
func (s *State) Ledger(task string) Ledger { panic("contract") }

// WriteLedger replaces the ledger of l.Task, whole, by rename.
func (s *State) WriteLedger(l Ledger) { panic("contract") }

// ListedBy returns, for a path, the tasks (other than except) among candidates whose ledgers list it.
func (s *State) ListedBy(path string, candidates []string) []string { panic("contract") }

// LastKey is the record of the components of the last key that a run derived for a task (8.3), as canonical bytes made by
// package key; state adds its own digest and writes it whole.
func (s *State) LastKey(task string) ([]byte, bool) { panic("contract") }

// WriteLastKey replaces the record.
func (s *State) WriteLastKey(task string, record []byte) { panic("contract") }

// Secret is the salt of environment digests, made once per workspace (mode 0600). ok is false when it can be neither read nor made.
func (s *State) Secret(create bool) (secret []byte, ok bool) { panic("contract") }

// LockRequest names the task locks of section 10: the task's own, exclusively, and those of its conflict set, shared.
type LockRequest struct {
	Task      string
	Conflicts []string
	// PID of this haz, and the note: pid of haz, pid of the task's process once there is one.
}

// TaskLocks are held locks of one task.
type TaskLocks struct{}

// SetProcess notes the pid of the task's process in its own lock.
func (l *TaskLocks) SetProcess(pid int) { panic("contract") }

// Unlock gives all back.
func (l *TaskLocks) Unlock() { panic("contract") }

// Refused says who holds a lock that was asked for.
type Refused struct {
	Task            string // whose lock
	HazPID, TaskPID int
	// Ancestor: TaskPID is an ancestor of this process and Task is the task whose own lock was wanted (nested use): waiting would be for ever.
	Ancestor bool
}

// TryLockTask takes all locks or none. refused is nil when they were taken (or locks are unsupported: then one note).
func (s *State) TryLockTask(r LockRequest) (l *TaskLocks, refused *Refused, err error) {
	panic("contract")
}

// SweepTasks removes ledgers and last keys of tasks that no longer exist (not in known) and are older than 30 days.
func (s *State) SweepTasks(known map[string]bool) { panic("contract") }
