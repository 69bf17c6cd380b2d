package workspace

import (
	"math"
	"slices"
	"time"
)

// RetriesMax is how often a task may be tried again at most (haz::cfg::081).
const RetriesMax = 100

// RetryWaitMax is where the time between two attempts stops growing.
const RetryWaitMax = time.Hour

// Retry says that a task whose process has failed is tried again (EXEC-046). No part of the cache key. The zero value is: it is not.
type Retry struct {
	Times  int           // further attempts, at most
	On     *RetryOn      // after which failures; nil: any of a process
	Delay  time.Duration // before the second attempt
	Factor float64       // by which that grows from one to the next; 0 is 1
}

// RetryOn are the failures after which a task is tried again.
type RetryOn struct {
	Timeout, Signal bool
	Codes           []int // exit codes, 1 to 255
}

// Matches reports whether a process that failed in this way is followed by another one.
func (r *Retry) Matches(timedOut bool, signal, code int) bool {
	switch {
	case r.Times == 0:
		return false
	case r.On == nil:
		return true
	case timedOut:
		return r.On.Timeout
	case signal != 0:
		return r.On.Signal
	}
	return slices.Contains(r.On.Codes, code)
}

// Wait is the time between the n-th attempt, counted from 1, and the next one: it grows until it is an hour, or the delay itself.
func (r *Retry) Wait(n int) time.Duration {
	grown := float64(r.Delay) * math.Pow(max(1, r.Factor), float64(n-1))
	return time.Duration(min(grown, float64(max(r.Delay, RetryWaitMax))))
}
