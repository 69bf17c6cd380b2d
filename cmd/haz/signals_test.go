package main

import (
	"os"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/cmd/haz/streams"
)

// Equal signals within half a second are one wish; others are wishes of their own.
func TestEqualSignalsAreOneWish(t *testing.T) {
	const ms = time.Millisecond
	type sent struct {
		sig syscall.Signal
		at  time.Duration
	}
	for name, c := range map[string]struct {
		sent []sent
		want []string
	}{
		"a terminal and a wrapper": {[]sent{{syscall.SIGINT, 0}, {syscall.SIGINT, 0}}, []string{"SIGINT"}},
		"a key hit twice":          {[]sent{{syscall.SIGINT, 0}, {syscall.SIGINT, 499 * ms}}, []string{"SIGINT"}},
		"again, to kill":           {[]sent{{syscall.SIGINT, 0}, {syscall.SIGINT, 500 * ms}}, []string{"SIGINT", "SIGINT"}},
		"a key that is held":       {[]sent{{syscall.SIGINT, 0}, {syscall.SIGINT, 300 * ms}, {syscall.SIGINT, 600 * ms}}, []string{"SIGINT", "SIGINT"}},
		"different ones":           {[]sent{{syscall.SIGINT, 0}, {syscall.SIGTERM, 0}, {syscall.SIGHUP, 1 * ms}}, []string{"SIGINT", "SIGTERM", "SIGHUP"}},
		"there and back":           {[]sent{{syscall.SIGINT, 0}, {syscall.SIGTERM, 1 * ms}, {syscall.SIGINT, 2 * ms}}, []string{"SIGINT", "SIGTERM", "SIGINT"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSignalWatch(nil, 0)
			s.raw = make(chan os.Signal)
			clock := make(chan time.Time)
			s.now = func() time.Time { return <-clock }
			go s.follow()
			for i, x := range c.sent {
				if i == 2 && len(c.want) == 3 {
					break // the third one would end this program
				}
				s.raw <- x.sig
				clock <- time.Unix(1000, 0).Add(x.at)
			}
			s.closed <- struct{}{} // the last one was followed
			var got []string
			for len(s.interrupts) > 0 {
				got = append(got, (<-s.interrupts).Name)
			}
			if want := c.want[:min(2, len(c.want))]; !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// Only when a signal came and something was not printed for want of a reader is that the exit code of a run that had ended well.
func TestExitCodeOfOutputCutShort(t *testing.T) {
	for _, c := range []struct {
		first   int
		dropped bool
		want    int
	}{{0, false, 0}, {0, true, 0}, {15, false, 0}, {15, true, 143}, {2, true, 130}} {
		p := &streams.Patience{}
		if c.dropped {
			p.GaveUp()
		}
		s := newSignalWatch(p, 0)
		s.first = c.first
		if got := s.cut(); got != c.want {
			t.Errorf("signal %d, dropped %v: %d, want %d", c.first, c.dropped, got, c.want)
		}
	}
}

// While finalizers go on that a cancelled run waits for, the time does not count in which haz would give it up; after a further signal it does (EXEC-050).
func TestFinalizersAreWaitedFor(t *testing.T) {
	one, two := haz.TaskID{Project: "p", Task: "one"}, haz.TaskID{Project: "p", Task: "two"}
	ended := func(id haz.TaskID) haz.Event { return haz.TaskFinished{Outcome: haz.Outcome{Task: id}} }
	for name, c := range map[string]struct {
		events []haz.Event
		waits  bool
	}{
		"no cancellation":     {[]haz.Event{ended(one)}, false},
		"nobody goes on":      {[]haz.Event{haz.RunCancelling{}}, false},
		"one that goes on":    {[]haz.Event{haz.RunCancelling{GoOn: []haz.TaskID{one}}}, true},
		"one of two is there": {[]haz.Event{haz.RunCancelling{GoOn: []haz.TaskID{one, two}}, ended(one)}, true},
		"both have ended":     {[]haz.Event{haz.RunCancelling{GoOn: []haz.TaskID{one, two}}, ended(two), ended(one)}, false},
		"others have ended":   {[]haz.Event{haz.RunCancelling{GoOn: []haz.TaskID{one}}, ended(two)}, true},
		"a further signal":    {[]haz.Event{haz.RunCancelling{GoOn: []haz.TaskID{one}}, haz.RunCancelling{Force: true}}, false},
	} {
		s := newSignalWatch(nil, 0)
		for _, e := range c.events {
			s.observe(e)
		}
		if got := s.finalizing(); got != c.waits {
			t.Errorf("%s: waits %v", name, got)
		}
	}
}

// EXEC-083: a task that was cancelled alone makes the run 1; in a run that was cancelled the signal says it all.
func TestExitCodeOfRequests(t *testing.T) {
	for _, c := range []struct {
		result haz.Result
		want   int
	}{
		{haz.Result{Counts: haz.Counts{Selected: 2, Completed: 1, Cancelled: 1}}, 1},
		{haz.Result{Counts: haz.Counts{Selected: 1, Completed: 1}}, 0},
		{haz.Result{Counts: haz.Counts{Selected: 1, Cancelled: 1}, Cancelled: true, Interrupt: &haz.Interrupt{Name: "SIGINT", Number: 2}}, 130},
		{haz.Result{Counts: haz.Counts{Selected: 1, Cancelled: 1}, Cancelled: true}, 2},
	} {
		if got := exitCode(&c.result); got != c.want {
			t.Errorf("%+v: %d, want %d", c.result, got, c.want)
		}
	}
}
