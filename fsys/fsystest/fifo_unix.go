//go:build unix && !aix && !solaris

package fsystest

import (
	"syscall"
	"testing"
)

func hostFIFO(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Skipf("no FIFO: %v", err)
	}
}
