package actors

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// steppedClock moves only by advance.
type steppedClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*time.Time]func()
}

func newSteppedClock() *steppedClock {
	return &steppedClock{now: time.Unix(1000, 0), timers: map[*time.Time]func(){}}
}

func (c *steppedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *steppedClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := c.now.Add(d)
	c.timers[&due] = f
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waits := c.timers[&due]
		delete(c.timers, &due)
		return waits
	}
}

func (c *steppedClock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []func()
	for at, f := range c.timers {
		if !at.After(c.now) {
			due = append(due, f)
			delete(c.timers, at)
		}
	}
	c.mu.Unlock()
	for _, f := range due {
		f()
	}
}

// S-45: time in which a run is suspended counts for none of its timers: not the grace, not the watchdogs. A timer that is made
// meanwhile begins to count afterwards, one that was stopped does not come, and none comes twice.
func TestTimersOfASuspendedRun(t *testing.T) {
	c := newSteppedClock()
	ts := newTimers(c)
	var came []string
	mark := func(name string) func() { return func() { came = append(came, name) } }
	expect := func(when string, want ...string) {
		t.Helper()
		if !slices.Equal(came, want) {
			t.Errorf("%s: %v came, want %v", when, came, want)
		}
	}
	ts.after(5*time.Second, mark("grace"))
	stop := ts.after(3*time.Second, mark("stopped"))
	c.advance(2 * time.Second)
	ts.pause()
	ts.after(time.Second, mark("late"))
	c.advance(time.Hour)
	expect("suspended")
	stop()
	ts.resume()
	expect("resumed")
	c.advance(999 * time.Millisecond)
	expect("just before")
	c.advance(time.Millisecond)
	expect("after a second", "late")
	ts.pause()
	ts.pause()
	c.advance(time.Hour)
	ts.resume()
	ts.resume()
	c.advance(1999 * time.Millisecond)
	expect("just before the grace is over", "late")
	c.advance(time.Millisecond)
	expect("after the grace", "late", "grace")
	c.advance(time.Hour)
	expect("at last", "late", "grace")
	ts.after(time.Second, mark("closed"))
	ts.pause()
	ts.close()
	ts.resume()
	c.advance(time.Hour)
	expect("closed", "late", "grace")
}

// A gate lets nothing pass while it is shut; what has passed is waited for, and what waits goes on.
func TestGate(t *testing.T) {
	var g gate
	g.pass()
	shut := make(chan bool)
	go func() { g.shut(); close(shut) }()
	for closed := false; !closed; time.Sleep(time.Millisecond) {
		g.mu.Lock()
		closed = g.opened != nil
		g.mu.Unlock()
	}
	passed := make(chan bool)
	go func() { g.pass(); close(passed); g.leave() }()
	select {
	case <-shut:
		t.Error("what had passed was not waited for")
	case <-passed:
		t.Error("something passed a gate that is shut")
	case <-time.After(20 * time.Millisecond):
	}
	g.leave()
	<-shut
	g.open()
	<-passed
}
