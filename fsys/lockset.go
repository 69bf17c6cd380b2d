package fsys

import "io/fs"

// checkLock is what all sets ask of the arguments of TryLock.
func checkLock(name string, id LockID, mode LockMode, mark int) error {
	switch {
	case id > MaxLockID, mode != Shared && mode != Exclusive, mode == Exclusive && (mark < 1 || mark > MaxMark):
		return pathError("lock", name, errInvalid)
	}
	return nil
}

// closedLocks is the answer of a LockSet after Close.
func closedLocks(name string) error { return pathError("lock", name, fs.ErrClosed) }
