package fsys

import "golang.org/x/sys/unix"

const (
	getLock = unix.F_OFD_GETLK
	setLock = unix.F_OFD_SETLK
)
