// Package faultfs makes a file system fail on purpose: the k-th operation, every one from there on, some drawn from a
// seed; or the power is cut at the k-th operation and only what was synced, plus a seeded part of the rest, survives.
//
// Equal seeds, rules and histories give equal faults. A whole campaign is a loop that ends when nothing is hit any more:
//
//	for k := 0; ; k++ {
//		fs := faultfs.FailAt(tree(), k, syscall.ENOSPC)
//		check(use(fs))
//		if fs.Injected().Total() == 0 {
//			break
//		}
//	}
//
// The idea is that of errorfs and of the crash clones in the vfs package of Pebble.
package faultfs

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// ErrCrashed is what every operation says from a power cut on.
var ErrCrashed = errors.New("the machine has lost power")

// Action is what happens to a call that a rule hits.
type Action uint8

const (
	// Fail gives the error of the rule instead of carrying out the call. Close and Unlock are carried out all the same:
	// the kernel gives the descriptor back also when it reports an error.
	Fail Action = iota
	// Short moves only a part of the bytes. A write says ENOSPC or the error of the rule; Read says nothing, as it may;
	// ReadAt and ReadFile, which promise all bytes, say io.ErrUnexpectedEOF. Other calls are not hit, nor counted by At.
	Short
	// Cut is a power cut: the call takes place in part, wholly or not at all (a seeded choice) and says ErrCrashed, as
	// do all calls after it. See Survivor.
	Cut
)

// Rule says which calls are hit and how.
type Rule struct {
	Match  func(Call) bool // which calls count; nil: all
	At     int             // the first hit is the At-th call that counts, from 0
	Sticky bool            // and every later one
	Chance float64         // not 0: in place of At, each call that counts is hit with this probability
	Do     Action
	Errs   []error // one is drawn for each hit; none: EIO for Fail, ENOSPC for Short
}

// FS is a file system that fails by rules. Name and HostPath are no calls.
type FS struct {
	inner fsys.FS
	base  string // name of the root below that of the outermost FS
	state *state
}

var _ fsys.FS = (*FS)(nil)

// New puts the rules before inner. The first rule that hits a call decides. Without rules calls are only counted.
// If a rule cuts the power and inner is a memfs.FS, that begins to record what is unsynced (memfs.FS.RecordUnsynced).
func New(inner fsys.FS, seed uint64, rules ...Rule) *FS {
	s := &state{
		outermost: inner, seed: seed, rng: rand.New(rand.NewPCG(seed, 0xda3e39cb94b95bdb)),
		rules: rules, counted: make([]int, len(rules)), injected: Counts{},
	}
	for _, r := range rules {
		if m, ok := inner.(*memfs.FS); ok && r.Do == Cut {
			m.RecordUnsynced()
			break
		}
	}
	return &FS{inner: inner, base: "/", state: s}
}

// FailAt makes the k-th call, from 0, fail with err.
func FailAt(inner fsys.FS, k int, err error) *FS {
	return New(inner, 0, Rule{At: k, Errs: []error{err}})
}

// FailFrom makes the k-th call, from 0, and all later ones fail with err.
func FailFrom(inner fsys.FS, k int, err error) *FS {
	return New(inner, 0, Rule{At: k, Sticky: true, Errs: []error{err}})
}

// ShortAt makes the k-th call that moves bytes, from 0, move only a part of them.
func ShortAt(inner fsys.FS, k int) *FS {
	return New(inner, 0, Rule{At: k, Do: Short})
}

// CrashAt cuts the power at the k-th call that changes something, from 0.
func CrashAt(inner fsys.FS, k int, seed uint64) *FS {
	return New(inner, seed, Rule{At: k, Do: Cut, Match: Call.Writes})
}

// Random makes each call fail with the probability chance and one of errs.
func Random(inner fsys.FS, seed uint64, chance float64, errs ...error) *FS {
	return New(inner, seed, Rule{Chance: chance, Errs: errs})
}

// state is what an FS shares with those made from it by Sub, and with their files.
type state struct {
	outermost fsys.FS
	seed      uint64
	rules     []Rule

	mu       sync.Mutex
	rng      *rand.Rand
	counted  []int // calls that counted, for each rule
	calls    []Call
	injected Counts
	crashed  bool
}

// verdict is what becomes of one call.
type verdict struct {
	hit  bool
	do   Action
	err  error
	part float64 // how much of it takes place, for Short and Cut
}

// enter counts a call and says what becomes of it.
func (s *state) enter(c Call) verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crashed {
		return verdict{hit: true, do: Cut, err: ErrCrashed, part: -1}
	}
	c.Index = len(s.calls)
	s.calls = append(s.calls, c)
	var v verdict
	for i := range s.rules {
		// Every rule counts every call, also where an earlier one has hit, so that indices do not depend on other rules.
		if w := s.judge(i, c); !v.hit {
			v = w
		}
	}
	if v.hit {
		s.injected[Injection{Op: c.Op, Err: v.err.Error(), Short: v.do == Short}]++
		s.crashed = v.do == Cut
	}
	return v
}

func (s *state) judge(i int, c Call) verdict {
	r := &s.rules[i]
	if r.Do == Short && !c.Op.movesBytes() || r.Match != nil && !r.Match(c) {
		return verdict{}
	}
	n := s.counted[i]
	s.counted[i]++
	switch {
	case r.Chance != 0:
		if s.rng.Float64() >= r.Chance {
			return verdict{}
		}
	case n != r.At && !(r.Sticky && n > r.At):
		return verdict{}
	}
	v := verdict{hit: true, do: r.Do, err: s.drawError(r, c.Op)}
	if r.Do == Cut {
		v.part = max(0, s.rng.Float64()*1.5-0.25) // often nothing, often all
	} else {
		v.part = 0.5
	}
	return v
}

func (s *state) drawError(r *Rule, op Op) error {
	switch {
	case r.Do == Cut:
		return ErrCrashed
	case r.Do == Short && op.reads():
		return errShortRead
	case len(r.Errs) > 0:
		return r.Errs[s.rng.IntN(len(r.Errs))]
	case r.Do == Short:
		return syscall.ENOSPC
	}
	return syscall.EIO
}

// Calls returns all calls so far, oldest first. Those after a power cut are not among them.
func (f *FS) Calls() []Call {
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	return append([]Call(nil), f.state.calls...)
}

// Count returns how many calls so far match; nil: all.
func (f *FS) Count(match func(Call) bool) int {
	n := 0
	for _, c := range f.Calls() {
		if match == nil || match(c) {
			n++
		}
	}
	return n
}

// Injected returns what was made to fail so far. Calls after a power cut are not counted, the cut itself is.
func (f *FS) Injected() Counts {
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	c := Counts{}
	c.Add(f.state.injected)
	return c
}

// Crashed reports whether the power was cut.
func (f *FS) Crashed() bool {
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	return f.state.crashed
}

// Survivor returns what is found after the power cut, or after one now if there was none. Each call returns a new copy of
// the same. It is nil unless New was given a memfs.FS.
func (f *FS) Survivor() *memfs.FS { return f.SurvivorOf(f.state.seed) }

// SurvivorOf is Survivor with another seed: another legal outcome of the same power cut.
func (f *FS) SurvivorOf(seed uint64) *memfs.FS {
	if m, ok := f.state.outermost.(*memfs.FS); ok {
		return m.CrashClone(seed)
	}
	return nil
}

// call carries out run as op on name unless a rule hits.
func (f *FS) call(op Op, name string, run func() error) error {
	if err := f.run(Call{Op: op, Name: f.full(name)}, run); err != nil {
		if e, ok := err.(injected); ok {
			return &fs.PathError{Op: op.String(), Path: fsys.Clean(name), Err: e.error}
		}
		return err
	}
	return nil
}

// call2 is call for two names.
func (f *FS) call2(op Op, old, new string, c Call, run func() error) error {
	if err := f.run(c, run); err != nil {
		if e, ok := err.(injected); ok {
			return &os.LinkError{Op: op.String(), Old: old, New: fsys.Clean(new), Err: e.error}
		}
		return err
	}
	return nil
}

// injected marks an error as ours, to be given operation and name.
type injected struct{ error }

func (f *FS) run(c Call, run func() error) error {
	v := f.state.enter(c)
	if !v.hit {
		return run()
	}
	if v.do == Cut && v.part >= 0.5 {
		_ = run()
	}
	return injected{v.err}
}

// full is name in the outermost FS.
func (f *FS) full(name string) string {
	name = fsys.Clean(name)
	switch {
	case f.base == "/":
		return name
	case name == "/":
		return f.base
	}
	return f.base + name
}
