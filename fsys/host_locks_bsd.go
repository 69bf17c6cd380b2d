//go:build freebsd || netbsd || openbsd

package fsys

// OpenLocks fails: these kernels have no locks of byte ranges that belong to an open file instead of a process.
func (h *host) OpenLocks(name string) (LockSet, error) {
	return nil, pathError("lock", Clean(name), ErrLockUnsupported)
}
