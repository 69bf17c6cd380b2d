package watch

import "time"

// Underway is what a watch knows of the tasks of a run, by their positions in its plan, to tell whether a change makes what they do worthless.
//
// A task is stale when something that it reads changed after it had begun, and so is all that begins behind one. A task that has not begun will
// see the change by itself. So the run is stopped when a task that is being carried out is stale, and also when nothing else is left of it
// than tasks without a cache and a change waits for its end: a server never ends, and to what others hold up nothing is added by waiting.
type Underway struct {
	down   func(i int) []int // those that come after a task
	cached func(i int) bool
	state  []progress
	stale  []bool
	left   int       // not ended
	news   bool      // something changed that no task of this run shows: there are others now
	began  time.Time // the youngest task
	carry  map[int]bool
}

type progress uint8

const (
	toCome progress = iota
	executing
	ended
)

// NewUnderway is a run of so many tasks, of which none has begun.
func NewUnderway(tasks int, down func(i int) []int, cached func(i int) bool) *Underway {
	return &Underway{down: down, cached: cached, state: make([]progress, tasks), stale: make([]bool, tasks), left: tasks, carry: map[int]bool{}}
}

// Began says that a task is carried out.
func (u *Underway) Began(i int, at time.Time) {
	if u.state[i] == toCome {
		u.state[i], u.began = executing, at
		u.carry[i] = true
	}
}

// Ended says that a task has its outcome.
func (u *Underway) Ended(i int) {
	if u.state[i] != ended {
		u.state[i] = ended
		u.left--
		delete(u.carry, i)
	}
}

// Age is for how long the youngest task has been carried out.
func (u *Underway) Age(now time.Time) time.Duration { return now.Sub(u.began) }

// Changed says that files changed that these tasks read.
func (u *Underway) Changed(readers []int) {
	var todo []int
	mark := func(i int) {
		if !u.stale[i] {
			u.stale[i] = true
			todo = append(todo, i)
		}
	}
	for _, i := range readers {
		if u.state[i] != toCome {
			mark(i)
		}
	}
	for len(todo) > 0 {
		i := todo[0]
		todo = todo[1:]
		for _, d := range u.down(i) {
			mark(d)
		}
	}
}

// Redefined says that a next run has something to do of which no task of this one tells.
func (u *Underway) Redefined() { u.news = true }

// Stop reports whether the run is to be stopped.
func (u *Underway) Stop() bool {
	if len(u.carry) == 0 {
		return false
	}
	held := u.left == len(u.carry)
	for i := range u.carry {
		if u.stale[i] {
			return true
		}
		held = held && !u.cached(i)
	}
	if !held {
		return false
	}
	for _, s := range u.stale {
		if s {
			return true
		}
	}
	return u.news
}
