//go:build !linux

package streams

import "golang.org/x/sys/unix"

// What asks for the mode of a terminal, what sets it, and what counts the bytes that can be read.
const getMode, setMode, bytesThere = unix.TIOCGETA, unix.TIOCSETA, 0x4004667f // FIONREAD
