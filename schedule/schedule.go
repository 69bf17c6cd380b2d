// Package schedule decides what may happen next, as pure state machines: the life cycle of a task, admission, and the
// ledger of outcomes (chapter 2, sections 2 to 6).
//
// A machine is told what happened and answers with what to do now. It looks at no disk, clock, goroutine or random number:
// the time is part of what it is told, and equal histories give equal commands. The actors are the shells around it.
package schedule

import (
	"iter"
	"math/bits"
	"slices"
	"time"

	"github.com/haz-build/haz/messages"
)

// Peer says whom a command goes to.
type Peer uint8

const (
	ToCache Peer = iota + 1
	ToAdmission
	ToProcesses
	ToSupervisor
	ToObserver
	ToTask  // the task that the message names, by way of the tasks actor
	ToTimer // come back to the sender: after the grace of the run, its share (Patience), or the time that the message says
	ToRoot  // the root of the run
)

func (p Peer) String() string {
	return [...]string{"?", "cache", "admission", "processes", "supervisor", "observer", "task", "timer", "root"}[p]
}

// Rules are how a run is carried out: what its machines know beside the plan.
type Rules struct {
	Run      messages.RunID
	Cap      int           // tasks that execute at a time, at least 1 (EXEC-004)
	Keep     bool          // services go on beyond the run
	FailFast bool          // the first failure stops the run (2.5)
	Lookup   bool          // the cache is read
	Store    bool          // the cache is written
	Grace    time.Duration // between SIGTERM and SIGKILL
	Timeout  time.Duration // of tasks that say nothing of their own (EXEC-045); 0: none
}

// Command is one message to send now.
type Command struct {
	To  Peer
	Msg any
}

// A set of small integers, in canonical order because tasks are numbered in it.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) add(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b bitset) remove(i int)   { b[i>>6] &^= 1 << (i & 63) }
func (b bitset) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }

func (b bitset) empty() bool {
	for _, w := range b {
		if w != 0 {
			return false
		}
	}
	return true
}

// all yields the members in ascending order; members may be removed on the way.
func (b bitset) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range b {
			for w := b[i]; w != 0; w &= w - 1 {
				if !yield(i<<6 + bits.TrailingZeros64(w)) {
					return
				}
			}
		}
	}
}

func sorted(s []int) []int {
	slices.Sort(s)
	return s
}

// Patience is the share of the grace after which SIGTERM follows SIGINT (section 6).
func Patience(grace time.Duration) time.Duration { return grace / 2 }
