package fsys

import "io/fs"

// errClosedLocks is the answer of a LockSet after Close.
var errClosedLocks = &fs.PathError{Op: "lock", Path: "", Err: fs.ErrClosed}

// checkLock is what all sets ask of the arguments of TryLock.
func checkLock(id LockID, mode LockMode, mark int) error {
	switch {
	case id > MaxLockID, mode != Shared && mode != Exclusive, mode == Exclusive && (mark < 1 || mark > MaxMark):
		return pathError("lock", "", errInvalid)
	}
	return nil
}
