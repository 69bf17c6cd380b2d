package fsys

import (
	"errors"
	"io/fs"
	"syscall"
)

// LockMode is how a lock is held.
type LockMode uint8

const (
	Shared LockMode = iota + 1
	Exclusive
)

func (m LockMode) String() string {
	switch m {
	case Shared:
		return "shared"
	}
	return "exclusive"
}

// ErrLocked says that somebody else holds the lock in a mode that excludes the one asked for.
var ErrLocked = errors.New("locked by another holder")

// ErrLockUnsupported says that there are no locks: the file system cannot, or the kernel has none that belong to open files (Linux
// since 3.15 and macOS since 10.15 have; the BSDs have not).
var ErrLockUnsupported = errors.New("the file system cannot lock")

// LockID names one lock of a LockSet, up to MaxLockID.
type LockID uint64

const (
	MaxLockID = 1<<41 - 1
	MaxMark   = 1<<22 - 1
)

// A LockSet holds any number of advisory locks of one file, as one holder: sets exclude each other, also in one process. A lock
// costs no file of its own, so that thousands of names can be locked. The kernel releases them when their owner dies.
type LockSet interface {
	// TryLock adds a lock that the set does not hold yet (else what happens is not defined), and never waits: ErrLocked when
	// another set holds it otherwise, ErrLockUnsupported where there are no locks. An exclusive one carries a mark from 1 to
	// MaxMark, for others to read.
	TryLock(id LockID, mode LockMode, mark int) error
	// Mark is the mark of another set that holds the lock exclusively; 0 when there is none.
	Mark(id LockID) (int, error)
	// Named reports whether the file still has its name: locks in one that nobody finds any more exclude nobody.
	Named() (bool, error)
	// Unlock gives all locks back. The set can be used on.
	Unlock() error
	// Close is Unlock for good. The file stays. A second call does nothing.
	Close() error
}

// A Lock is a held advisory lock. The kernel releases it when its owner dies.
type Lock interface {
	// Unlock gives the lock back. A second call does nothing. The lock file stays.
	Unlock() error
}

// TryLock takes a lock on the file name of f as a whole: the first one of a LockSet of its own. The file is created when absent (its
// directory must exist). It never waits: ErrLocked when it is held otherwise, ErrLockUnsupported where there are no locks.
func TryLock(f FS, name string, mode LockMode) (Lock, error) {
	if err := checkLock(Clean(name), 0, mode, 1); err != nil {
		return nil, err
	}
	for {
		l, err := tryWhole(f, name, mode)
		if l != nil || err != nil {
			return l, err
		}
		// Somebody removed the file between our open and our lock: a lock that nobody else can find excludes nobody.
	}
}

// tryWhole is TryLock once; nil without an error when the file has gone meanwhile.
func tryWhole(f FS, name string, mode LockMode) (l Lock, err error) {
	set, err := f.OpenLocks(name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if l == nil { // also when the file system of a host panics
			_ = set.Close()
		}
	}()
	if err := set.TryLock(0, mode, 1); err != nil {
		return nil, err
	}
	if named, err := set.Named(); !named {
		return nil, err
	}
	return wholeFile{set}, nil
}

type wholeFile struct{ set LockSet }

func (l wholeFile) Unlock() error { return l.set.Close() }

// checkLock is what all sets ask of the arguments of TryLock.
func checkLock(name string, id LockID, mode LockMode, mark int) error {
	switch {
	case id > MaxLockID, mode != Shared && mode != Exclusive, mode == Exclusive && (mark < 1 || mark > MaxMark):
		return pathError("lock", name, syscall.EINVAL)
	}
	return nil
}

// closedLocks is the answer of a LockSet after Close.
func closedLocks(name string) error { return pathError("lock", name, fs.ErrClosed) }
