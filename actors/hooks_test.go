package actors

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/messages"
)

// soonClock has timers that go off at once, and remembers for how long they were set.
type soonClock struct {
	stillClock
	waits []time.Duration
}

func (c *soonClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	c.waits = append(c.waits, d)
	f()
	return func() bool { return false }
}

// What a fault is aimed at, and what it does there: how often each of these messages is seen by its actor.
func TestFaults(t *testing.T) {
	type sent struct {
		actor string
		m     any
	}
	all := []sent{{"cache", messages.StoreEntry{}}, {"cache", messages.RestoreOutputs{}}, {"task-0", messages.EntryStored{}}, {"task-12", messages.EntryStored{}},
		{"cache", messages.StoreEntry{}}, {"run", look{}}, {"supervisor", &messages.StoreEntry{}}}
	for _, tt := range []struct {
		name   string
		faults []Fault
		seen   string // how often, message by message; "!": the actor panics
		waits  string
	}{
		{"none", nil, "1111111", "[]"},
		{"everything", []Fault{{Lose: true}}, "0000000", "[]"},
		{"nothing is done", []Fault{{}}, "1111111", "[]"},
		{"an actor", []Fault{{Actor: "cache", Lose: true}}, "0011011", "[]"},
		{"all tasks", []Fault{{Actor: "task-*", Twice: true}}, "1122111", "[]"},
		{"a message", []Fault{{Message: "StoreEntry", Twice: true}}, "2111212", "[]"},
		{"an unexported one", []Fault{{Message: "look", Lose: true}}, "1111101", "[]"},
		{"both", []Fault{{Actor: "cache", Message: "StoreEntry", Lose: true}}, "0111011", "[]"},
		{"the second of them", []Fault{{Actor: "cache", Message: "StoreEntry", Nth: 2, Panic: "injected"}}, "1111!11", "[]"},
		{"the third of any", []Fault{{Nth: 3, Lose: true}}, "1101111", "[]"},
		{"a name is no prefix", []Fault{{Actor: "task-1", Lose: true}}, "1111111", "[]"},
		{"a pattern that is none", []Fault{{Actor: "[", Lose: true}}, "1111111", "[]"},
		{"slow", []Fault{{Message: "Entry*", Delay: time.Minute}}, "1111111", "[1m0s 1m0s]"},
		{"slow, then dead", []Fault{{Actor: "run", Delay: time.Hour, Panic: "injected"}}, "11111!1", "[1h0m0s]"},
		{"two at once", []Fault{{Nth: 2, Twice: true}, {Actor: "cache", Nth: 3, Lose: true}, {Actor: "cache", Nth: 2, Twice: true}}, "1411011", "[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // each run counts by itself
				c := &soonClock{}
				h := newHooked(Hooks{Faults: tt.faults}, c)
				var seen strings.Builder
				for _, s := range all {
					times := -1
					if p := caught(func() { times = h.strike(s.actor, s.m) }); p != nil {
						if p.reason != "injected" {
							t.Error(p.reason)
						}
						seen.WriteByte('!')
						continue
					}
					fmt.Fprint(&seen, times)
				}
				if seen.String() != tt.seen || fmt.Sprint(c.waits) != tt.waits {
					t.Errorf("seen %s, want %s; waited %v, want %s", &seen, tt.seen, c.waits, tt.waits)
				}
			}
		})
	}
}

// A simulation is asked to wait instead of a goroutine that blocks.
func TestDelayOfASimulation(t *testing.T) {
	tries := 0
	h := newHooked(Hooks{Faults: []Fault{{Delay: time.Second}}, Await: func(try func() bool) {
		for !try() {
			tries++
			if tries > 100 {
				t.Fatal("it waits for ever")
			}
		}
	}}, &soonClock{})
	if times := h.strike("cache", look{}); times != 1 || tries != 0 {
		t.Errorf("seen %d times, after %d tries", times, tries)
	}
}
