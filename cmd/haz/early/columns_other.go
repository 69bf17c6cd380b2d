//go:build !linux && !darwin

package early

import "os"

// columns is 0 where standard output is no terminal; how wide one is is left for later to find out.
func columns() int {
	if info, err := os.Stdout.Stat(); err == nil && info.Mode()&os.ModeCharDevice == 0 {
		return 0
	}
	return 1
}
