//go:build linux || darwin || freebsd || netbsd || openbsd

package fsys

import (
	"testing"

	"golang.org/x/sys/unix"
)

// A lock is free as soon as Unlock returns, even while somebody else has its descriptor: a child between fork and exec has.
func TestUnlockDespiteCopies(t *testing.T) {
	h, err := Host(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	lock, err := h.TryLock("/lock", Exclusive)
	if err != nil {
		t.Fatal(err)
	}
	child := -1
	err = withFD(lock.(*hostLock).f.f, func(fd int) (err error) {
		child, err = unix.Dup(fd)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(child)
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	again, err := h.TryLock("/lock", Exclusive)
	if err != nil {
		t.Fatalf("unlocked, and yet: %v", err)
	}
	if err := again.Unlock(); err != nil {
		t.Fatal(err)
	}
}
