package streams

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// reopen opens a terminal once more: others who have it must not find theirs non-blocking.
func reopen(fd int) (int, error) {
	if _, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ); err != nil {
		return -1, err // /dev/null and the like: nothing to wait for
	}
	return unix.Open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
}
