package main

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's, as long as that of any architecture; all zero it means the default.
type sigaction [8]uintptr

// action exchanges what a signal does. The runtime's own functions do not bring the default back for signals that stop.
func action(sig syscall.Signal, set *sigaction) (was sigaction) {
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(&was)), 8, 0, 0)
	return was
}

// ignoredHere reports whether a signal that nothing has asked for yet was ignored when haz was started.
func ignoredHere(sig syscall.Signal) bool { return action(sig, nil)[0] == 1 }

// stopBy does to this program what the signal does by default, and returns when that is over: when the program is continued, or at once
// where the system does not stop it (its process group is orphaned: no shell would ever continue it).
//
// A signal to this very thread has had its effect before the call returns.
func stopBy(sig syscall.Signal) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	was := action(sig, &sigaction{})
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), sig)
	action(sig, &was)
}
