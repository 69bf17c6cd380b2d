//go:build unix && !aix && !solaris

package fsystest

import (
	"syscall"
	"testing"
)

// HostFIFO makes a FIFO at a path of the host, or skips the test where there are none.
func HostFIFO(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Skipf("no FIFO: %v", err)
	}
}
