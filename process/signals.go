//go:build unix

package process

import (
	"os"
	"os/signal"
	"syscall"
)

// nobody receives the signals that haz ignores. It is never read.
var nobody = make(chan os.Signal, 1)

// unignore makes sure that no signal is ignored when a process is started: execve hands "ignored" on to the child, where a
// shell cannot even trap it, and a pipeline's writer would not die with its reader (SIGPIPE). Handled signals are reset to
// their default instead. So an ignored signal gets a handler that drops it: for haz nothing changes, for the child
// everything. That lasts: going back could undo what the host has set in the meantime.
//
// Job-control signals that were ignored before haz began are not seen here; without a terminal nothing sends them.
func unignore() {
	for sig := syscall.Signal(1); sig < 32; sig++ {
		if signal.Ignored(sig) {
			signal.Notify(nobody, sig)
		}
	}
}
