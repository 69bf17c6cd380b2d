//go:build !unix || aix || solaris

package fsystest

import "testing"

// HostFIFO makes a FIFO at a path of the host, or skips the test where there are none.
func HostFIFO(t *testing.T, path string) { t.Skip("no FIFO") }
