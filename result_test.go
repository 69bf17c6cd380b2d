package haz

import (
	"errors"
	"testing"
)

func TestResultErr(t *testing.T) {
	defect := errors.New("it broke")
	for _, c := range []struct {
		r    Result
		want string
	}{
		{Result{}, ""},
		{Result{Counts: Counts{Selected: 2, Completed: 2, Cached: 1}}, ""},
		{Result{Counts: Counts{Selected: 4, Completed: 1, Failed: 1, Skipped: 2}}, "1 of 4 tasks failed, 2 were skipped"},
		{Result{Counts: Counts{Selected: 2, Completed: 1, Cancelled: 1}, Cancelled: true}, "the run was cancelled: 1 of 2 tasks completed"},
		{Result{Counts: Counts{Selected: 2, Completed: 2}, Cancelled: true}, "the run was cancelled: 2 of 2 tasks completed"},
		{Result{Counts: Counts{Selected: 2, Completed: 2}, Violations: make([]Violation, 1)}, "a runtime invariant was broken"},
		{Result{Counts: Counts{Selected: 2, Completed: 2}, Violations: make([]Violation, 2)}, "2 runtime invariants were broken"},
		{Result{Counts: Counts{Selected: 2, Completed: 2}, Crash: defect}, "a defect in haz: it broke"},
	} {
		err := c.r.Err()
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want || c.r.OK() != (c.want == "") || errors.Is(err, defect) != (c.r.Crash != nil) {
			t.Errorf("%+v: %q, want %q", c.r.Counts, got, c.want)
		}
		var failed *RunError
		if err != nil && (!errors.As(err, &failed) || failed.Result.Counts != c.r.Counts) {
			t.Errorf("%v is no *RunError with its result", err)
		}
	}
}
