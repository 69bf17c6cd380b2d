//go:build linux || darwin

package fsys

import (
	"testing"

	"golang.org/x/sys/unix"
)

// A lock is free as soon as Unlock returns, even while a child between fork and exec has its descriptor.
func TestUnlockDespiteCopies(t *testing.T) {
	h, err := Host(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	sets := [2]LockSet{}
	for i := range sets {
		if sets[i], err = h.OpenLocks("/locks"); err != nil {
			t.Fatal(err)
		}
		defer sets[i].Close()
	}
	for _, free := range []func(LockSet) error{LockSet.Unlock, LockSet.Close} {
		if err := sets[0].TryLock(16, Exclusive, 1); err != nil { // lies in the first file
			t.Fatal(err)
		}
		if l, ok := sets[0].(*hostLockSet); ok {
			child := -1
			if err := withFD(l.files[0].f, func(fd int) (err error) {
				child, err = unix.Dup(fd)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			defer unix.Close(child)
		}
		if err := free(sets[0]); err != nil {
			t.Fatal(err)
		}
		if err := sets[1].TryLock(16, Exclusive, 1); err != nil {
			t.Fatalf("unlocked, and yet: %v", err)
		}
		if err := sets[1].Unlock(); err != nil {
			t.Fatal(err)
		}
	}
}
