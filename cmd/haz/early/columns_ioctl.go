//go:build linux || darwin

package early

import (
	"syscall"
	"unsafe"
)

// columns is how wide the terminal at standard output is; 0 where it is none.
func columns() int {
	var size struct{ rows, columns, x, y uint16 }
	if _, _, err := syscall.Syscall(syscall.SYS_IOCTL, 1, syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size))); err != 0 {
		return 0
	}
	return int(size.columns)
}
