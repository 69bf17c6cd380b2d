//go:build !unix || aix || solaris

package fsystest

import "testing"

func hostFIFO(t *testing.T, path string) { t.Skip("no FIFO") }
