package haz_test

import (
	"context"
	"testing"
	"time"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
)

// set is a clock that somebody has set: its timers are real.
type set struct{ offset time.Duration }

func (s set) Now() time.Time { return time.Now().Add(s.offset) }

func (set) AfterFunc(d time.Duration, f func()) (stop func() bool) { return time.AfterFunc(d, f).Stop }

// The cache of a workspace tells the age of entries by the clock that made them.
func TestClockOfTheCache(t *testing.T) {
	w := inMemory(t)
	pair(t, w)
	past := haz.WithClock(set{-1000 * time.Hour})
	w.runWith(t, t.Context(), w.open(t, past), haz.RunOptions{})
	old := func(clock haz.Option) int {
		t.Helper()
		c, err := haz.OpenCache(context.Background(), w.dir, append(w.options[:len(w.options):len(w.options)], clock)...)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		hour := time.Hour
		r, err := c.Clean(context.Background(), haz.CleanOptions{MaxAge: &hour, DryRun: true})
		if err != nil {
			t.Fatal(err)
		}
		return r.Evicted[1]
	}
	if n := old(past); n != 0 {
		t.Errorf("%d entries that were made a moment ago are older than an hour", n)
	}
	if n := old(haz.WithClock(set{-900 * time.Hour})); n != 2 {
		t.Errorf("a hundred hours later %d of two entries are older than an hour", n)
	}
}

// The lock of a task names its process to other haz, which look for that number among their ancestors; the number of a script,
// say 1, is an ancestor of all of them, and is not told.
func TestNumbersOfScriptsInLocks(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w, `t: shell: "echo up; await go", outputs: [o]`)
		var refused *state.Refused
		w.run(t, haz.RunOptions{Observer: onOutput("p:t", func() {
			other := state.Open(w.fs, digest.BLAKE3)
			defer other.Flush()
			for refused == nil || refused.TaskPID == 0 && !w.scripted { // it may print before the call that starts it has returned
				var err error
				if _, refused, err = other.TryLockTask(state.LockRequest{Task: "p:t"}); err != nil || refused == nil {
					t.Error("the lock is free", err)
					break
				}
			}
			w.write(t, "/p/go", "")
		})})
		switch {
		case refused == nil || refused.HazPID == 0:
			t.Fatalf("the lock is free, or nobody's: %+v", refused)
		case (refused.TaskPID != 0) != (!w.scripted) || refused.Ancestor:
			t.Errorf("%+v", refused)
		}
	})
}
