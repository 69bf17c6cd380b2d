//go:build !linux

package state

import "os"

// ancestors returns this process and its parent alone: where there is no /proc, a nested haz that is no child of the task's own process
// waits for the task like any other.
func ancestors() map[int]bool { return map[int]bool{os.Getpid(): true, os.Getppid(): true} }

// ancestorsOf any other process are not known.
func ancestorsOf(pid int) map[int]bool { return map[int]bool{pid: true} }

// depth is not known.
func depth() int { return 0 }
