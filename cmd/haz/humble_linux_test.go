package main

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// dropPowers takes from what this thread becomes the powers of root that pass over permission bits.
func dropPowers() error {
	runtime.LockOSThread() // the set belongs to the thread, which is the one that becomes the command
	for _, c := range []uintptr{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH, unix.CAP_FOWNER} {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil {
			return err
		}
	}
	return nil
}

func onTmpfs(dir string) bool {
	var st unix.Statfs_t
	return unix.Statfs(dir, &st) == nil && st.Type == unix.TMPFS_MAGIC
}
