package cachetest

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
)

// An Operation is something whose calls of the file system are made to fail, one after the other.
type Operation struct {
	Name string
	// Prepare makes the tree that the operation begins with, a new one each time.
	Prepare func() *memfs.FS
	// Run does it and returns what Check wants to know. It must not call t.
	Run func(ctx context.Context, fsy fsys.FS) any
	// Check looks at what is left, through a file system without faults.
	Check func(t testing.TB, f Fault, after *memfs.FS, result any)
}

// Fault is what was done to an operation.
type Fault struct {
	What   string
	At     int // which call, from 0
	Sticky bool
	Cut    bool // the power was cut
	Cancel bool // the context was cancelled
	Call   faultfs.Call
}

func (f Fault) String() string {
	s := fmt.Sprintf("%s at %v", f.What, f.Call)
	if f.Sticky {
		s += " and after"
	}
	return s
}

// Errors are what calls are made to fail with.
var Errors = []error{syscall.EIO, syscall.ENOSPC, syscall.EACCES, syscall.EROFS, syscall.EMFILE}

// Tally counts what a campaign did.
type Tally struct {
	Faults    faultfs.Counts
	Cuts      int
	Cancelled int
}

// Add puts the counts of o to those of y.
func (y *Tally) Add(o Tally) {
	if y.Faults == nil {
		y.Faults = faultfs.Counts{}
	}
	y.Faults.Add(o.Faults)
	y.Cuts += o.Cuts
	y.Cancelled += o.Cancelled
}

// Campaign does all of FailEach with these errors, CutEach with that many seeds, and CancelEach.
func (op Operation) Campaign(t testing.TB, errs []error, seeds int) Tally {
	return Tally{Faults: op.FailEach(t, errs), Cuts: op.CutEach(t, seeds), Cancelled: op.CancelEach(t)}
}

// FailEach makes every call fail with each of errs, and every call that moves bytes move only a part of them: once, and
// from there on.
func (op Operation) FailEach(t testing.TB, errs []error) faultfs.Counts {
	total := faultfs.Counts{}
	try := func(what string, sticky bool, rule faultfs.Rule) {
		for k := 0; !t.Failed(); k++ {
			rule.At, rule.Sticky = k, sticky
			mem := op.Prepare()
			ff := faultfs.New(mem, uint64(k), rule)
			result := op.Run(context.Background(), ff)
			counts := ff.Injected()
			if counts.Total() == 0 {
				return
			}
			total.Add(counts)
			op.check(t, Fault{What: what, At: k, Sticky: sticky, Call: nth(ff, rule, k)}, mem, result)
		}
	}
	for _, sticky := range []bool{false, true} {
		for _, err := range errs {
			try(err.Error(), sticky, faultfs.Rule{Errs: []error{err}})
		}
		try("short", sticky, faultfs.Rule{Do: faultfs.Short})
	}
	return total
}

// nth is the call that a rule hit first.
func nth(ff *faultfs.FS, rule faultfs.Rule, k int) faultfs.Call {
	for _, c := range ff.Calls() {
		moves := c.Op == faultfs.OpRead || c.Op == faultfs.OpReadFile || c.Op == faultfs.OpWrite
		if rule.Do == faultfs.Short && !moves {
			continue
		}
		if k == 0 {
			return c
		}
		k--
	}
	return faultfs.Call{}
}

// CutEach cuts the power at every call, with that many legal outcomes each.
func (op Operation) CutEach(t testing.TB, seeds int) int {
	cuts := 0
	for seed := range uint64(seeds) {
		for k := 0; !t.Failed(); k++ {
			mem := op.Prepare()
			ff := faultfs.New(mem, seed<<32|uint64(k), faultfs.Rule{At: k, Do: faultfs.Cut})
			result := op.Run(context.Background(), ff)
			if !ff.Crashed() {
				break
			}
			cuts++
			op.check(t, Fault{What: fmt.Sprintf("power cut (seed %d)", seed), At: k, Cut: true, Call: nth(ff, faultfs.Rule{}, k)}, ff.Survivor(), result)
		}
	}
	return cuts
}

// CancelEach cancels the context at every call.
func (op Operation) CancelEach(t testing.TB) int {
	for k := 0; !t.Failed(); k++ {
		mem := op.Prepare()
		ctx, cancel := context.WithCancel(context.Background())
		n := 0
		ff := faultfs.New(mem, 0, faultfs.Rule{Match: func(faultfs.Call) bool {
			if n++; n == k+1 {
				cancel()
			}
			return false
		}})
		result := op.Run(ctx, ff)
		cancel()
		if n <= k {
			return k
		}
		op.check(t, Fault{What: "cancelled", At: k, Cancel: true, Call: nth(ff, faultfs.Rule{}, k)}, mem, result)
	}
	return 0
}

func (op Operation) check(t testing.TB, f Fault, after *memfs.FS, result any) {
	failed := t.Failed()
	op.Check(t, f, after, result)
	if t.Failed() && !failed {
		t.Errorf("%s: %v", op.Name, f)
	}
}
