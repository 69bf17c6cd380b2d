//go:build unix

package haz

import (
	"strconv"
	"strings"
	"syscall"

	"github.com/haz-build/haz/fsys"
)

// hostUmask reads the process's umask. Setting and resetting it would be seen by other goroutines, so the kernel's own
// account is asked first.
func hostUmask() int {
	if b, _, err := fsys.Machine().ReadFile("/proc/self/status", 1<<20); err == nil {
		if _, rest, ok := strings.Cut(string(b), "\nUmask:"); ok {
			line, _, _ := strings.Cut(rest, "\n")
			if n, err := strconv.ParseInt(strings.TrimSpace(line), 8, 32); err == nil {
				return int(n)
			}
		}
	}
	m := syscall.Umask(0o022)
	syscall.Umask(m)
	return m
}
