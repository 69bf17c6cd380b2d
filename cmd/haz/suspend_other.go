//go:build !linux

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ignoredHere is not known here.
func ignoredHere(syscall.Signal) bool { return false }

// stopBy stops this program and returns when it is continued; at once where it was started by no process of its session, which could
// continue it.
func stopBy(syscall.Signal) {
	parent, err := unix.Getsid(os.Getppid())
	own, _ := unix.Getsid(0)
	if err != nil || parent != own {
		return
	}
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	if syscall.Kill(os.Getpid(), syscall.SIGSTOP) == nil {
		select {
		case <-continued:
		case <-time.After(time.Second): // it came before we listened again
		}
	}
}
