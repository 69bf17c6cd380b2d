//go:build darwin || freebsd || netbsd || openbsd

package fsys

func (h *host) OpenLocks(name string) (LockSet, error) { return h.openFileLocks(name) }
