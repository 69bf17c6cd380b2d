//go:build linux || darwin || freebsd || netbsd || openbsd

package fsys

import (
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

var _ Place = (*host)(nil)

func (h *host) InPlace() bool {
	var held, there unix.Stat_t
	if h.look("/", &held, 0) != nil || fstatat(unix.AT_FDCWD, h.dir, &there, 0) != nil {
		return false
	}
	return held.Dev == there.Dev && held.Ino == there.Ino
}

func (h *host) StandingPath(name string) string {
	if runtime.GOOS != "linux" {
		return ""
	}
	if h.handle.acquire() < 0 {
		return ""
	}
	defer h.handle.release()
	own := "/proc/self/fd/" + strconv.Itoa(h.handle.fd)
	if info, err := os.Stat(own); err != nil || !info.IsDir() { // no /proc here
		return ""
	}
	return join(own, Clean(name))
}
