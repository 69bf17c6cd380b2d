package workspace

import (
	"testing"
	"time"
)

// haz::cfg::081: the time between attempts grows by the factor, to an hour at most.
func TestRetryWait(t *testing.T) {
	for _, c := range []struct {
		delay  time.Duration
		factor float64
		want   []time.Duration
	}{
		{0, 2, []time.Duration{0, 0, 0}},
		{time.Second, 0, []time.Duration{time.Second, time.Second, time.Second}},
		{time.Second, 2, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}},
		{20 * time.Minute, 1.5, []time.Duration{20 * time.Minute, 30 * time.Minute, 45 * time.Minute, time.Hour, time.Hour}},
		{2 * time.Hour, 10, []time.Duration{2 * time.Hour, 2 * time.Hour}},
	} {
		r := Retry{Times: 100, Delay: c.delay, Factor: c.factor}
		for i, want := range c.want {
			if got := r.Wait(i + 1); got != want {
				t.Errorf("delay %v, factor %v, after attempt %d: %v, want %v", c.delay, c.factor, i+1, got, want)
			}
		}
		if last := r.Wait(RetriesMax); last < 0 || last > max(c.delay, time.Hour) {
			t.Errorf("delay %v, factor %v, after attempt %d: %v", c.delay, c.factor, RetriesMax, last)
		}
	}
}

// haz::cfg::081: what a failure counts as.
func TestRetryMatches(t *testing.T) {
	on := func(o RetryOn) *Retry { return &Retry{Times: 1, On: &o} }
	for _, c := range []struct {
		r        *Retry
		timedOut bool
		signal   int
		code     int
		want     bool
	}{
		{&Retry{}, false, 0, 1, false},
		{&Retry{Times: 1}, false, 0, 1, true}, {&Retry{Times: 1}, false, 9, -1, true}, {&Retry{Times: 1}, true, 15, -1, true},
		{on(RetryOn{Timeout: true}), true, 15, -1, true}, {on(RetryOn{Timeout: true}), false, 15, -1, false}, {on(RetryOn{Timeout: true}), false, 0, 1, false},
		{on(RetryOn{Signal: true}), false, 11, -1, true}, {on(RetryOn{Signal: true}), true, 15, -1, false}, {on(RetryOn{Signal: true}), false, 0, 139, false},
		{on(RetryOn{Codes: []int{75, 1}}), false, 0, 75, true}, {on(RetryOn{Codes: []int{75, 1}}), false, 0, 2, false}, {on(RetryOn{Codes: []int{75}}), true, 0, 75, false},
	} {
		if got := c.r.Matches(c.timedOut, c.signal, c.code); got != c.want {
			t.Errorf("%+v: timed out %v, signal %d, code %d: %v", c.r, c.timedOut, c.signal, c.code, got)
		}
	}
}
