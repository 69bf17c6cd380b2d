package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/cmd/haz/watch"
	"github.com/haz-build/haz/messages"
)

// round is one run of a watch, while it is under way.
type round struct {
	*watching
	w       *haz.Workspace
	plan    *haz.Plan
	printer presenter
	stop    context.CancelFunc
	at      map[int]int            // from positions in the workspace to those in the plan
	known   map[string]watch.Stamp // changed files, as they were when that was seen
	why     []string               // the last of these that counted
	later   []string               // those that may stop the run in a while
	told    bool
	signals chan os.Signal // to the run

	begun chan struct{} // one place: tasks began while something is stale
	mu    sync.Mutex
	under *watch.Underway
	stale bool // something changed that tasks have read

	cancelling bool // for a signal
}

// carryOut runs a plan, and stops that when a change makes what is under way worthless (AUX-048). A change is told at once, since the run may
// take its time: a server never ends.
func (s *watching) carryOut(w *haz.Workspace, plan *haz.Plan) error {
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	r := &round{watching: s, w: w, plan: plan, printer: s.printer(w), stop: stop, at: map[int]int{}, known: map[string]watch.Stamp{},
		told: s.has("quiet"), begun: make(chan struct{}, 1), signals: make(chan os.Signal, 8)}
	for i, t := range plan.Tasks {
		r.at[t.Index] = i
	}
	r.under = watch.NewUnderway(len(plan.Tasks), func(i int) (list []int) {
		for _, n := range plan.Downstreams(i) {
			list = append(list, n.Task)
		}
		return list
	}, func(i int) bool { return plan.Tasks[i].Cache })
	run := *s.invocation
	run.ctx, run.follow, run.pressed = ctx, r.follow, r.signals
	done := make(chan error, 1)
	go func() { done <- run.execute(r.printer, w, plan) }()
	err := r.await(done)
	if s.stopped && errors.Is(err, context.Canceled) {
		return nil // stopped before it had begun
	}
	return err
}

// await performs what the core decides while tasks run.
func (r *round) await(done <-chan error) error {
	quiet, early, unheard := newQuiet(), newQuiet(), newQuiet()
	defer quiet.Stop()
	defer early.Stop()
	defer unheard.Stop()
	var interrupted error
	var number syscall.Signal
	for {
		event, action := watch.FoundSame, watch.DoNothing
		select {
		case err := <-done:
			var code exit
			if errors.As(err, &code) && code >= 128 {
				return err
			}
			return cmp.Or(interrupted, err)
		case i := <-r.interrupts: // the run has it as well, but for one that came while the files were read
			interrupted = exit(128 + i.Number)
			number = syscall.Signal(i.Number)
			unheard.Reset(oneWish / 2)
		case <-unheard.C:
			if !r.isCancelling() {
				r.interrupt(number)
			}
		case <-r.tree.Stirs:
			event = watch.TreeStirred
		case <-quiet.C:
			event = watch.QuietPassed
		case <-r.begun:
			event = r.judge(event)
		case <-early.C:
			r.concern(r.later)
			r.later = nil
			event = r.judge(event)
		case key := <-r.keys:
			if action = r.key(key, r.tell); action == watch.StopRun {
				r.why = nil
			}
			event = watch.FoundSame
		}
		if action == watch.DoNothing {
			action = r.step(event)
		}
		if action == watch.LookAtTree {
			event = r.look()
			if len(r.later) > 0 {
				r.mu.Lock()
				early.Reset(max(0, watch.Early-r.under.Age(time.Now())))
				r.mu.Unlock()
			}
			action = r.step(event)
		}
		switch action {
		case watch.ArmQuiet:
			quiet.Reset(watch.Quiet)
		case watch.StopRun:
			r.stopped = true
			r.note(stopNote(r.why))
			r.stop()
		case watch.LeaveRun:
			r.interrupt(syscall.SIGINT)
		}
	}
}

// follow is told what happens to tasks.
func (r *round) follow(e haz.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := e.(type) {
	case haz.TaskStarted:
		r.under.Began(r.position(e.Task), e.At)
		if r.stale {
			select {
			case r.begun <- struct{}{}:
			default:
			}
		}
	case haz.RunCancelling:
		r.cancelling = r.cancelling || e.Signal != ""
	case haz.TaskFinished:
		r.under.Ended(r.position(e.Outcome.Task))
	}
}

func (r *round) isCancelling() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cancelling
}

// interrupt is to the run as a signal.
func (r *round) interrupt(number syscall.Signal) {
	select {
	case r.signals <- number:
	default: // nobody can want more than eight
	}
}

func (r *round) position(id haz.TaskID) int {
	return r.at[r.w.W.Task(id).Index]
}

// look finds out what a change means for the tasks under way.
func (r *round) look() watch.Event {
	changed, now := r.differing()
	fresh := slices.DeleteFunc(slices.Clone(changed), func(p string) bool {
		was, known := r.known[p]
		return known && was == now[p] || r.interest.Formatted(p) && !r.redefines(p, now)
	})
	if len(fresh) == 0 {
		return r.judge(watch.FoundSame)
	}
	for _, p := range fresh {
		r.known[p] = now[p]
	}
	r.mu.Lock()
	age := r.under.Age(time.Now())
	r.mu.Unlock()
	at, later, news := r.feed.During(fresh, age)
	if len(news) > 0 {
		r.printer.Handle(messages.RunNoted{Text: fedOn(news[0]), Hint: fedHint})
	}
	r.later = append(r.later, later...)
	r.concern(at)
	event := r.judge(watch.FoundChanged)
	r.why = append(at, later...)
	if !r.told && event != watch.FoundStale && len(r.why) > 0 {
		r.told = true
		r.printer.Handle(messages.RunNoted{Text: changeNote(r.why, "running again when this run has ended")})
	}
	return event
}

// concern says of files that they changed: those that tasks read, and those that say what the tasks are.
func (r *round) concern(files []string) {
	var readers []int
	add := func(positions []int) {
		for _, index := range positions {
			if i, in := r.at[index]; in {
				readers = append(readers, i)
			}
		}
	}
	add(r.plan.G.Affected(files, nil))
	redefined := slices.ContainsFunc(files, func(p string) bool { return r.redefines(p, r.known) })
	if redefined {
		others, err := r.otherwise()
		if err != nil {
			r.printer.Handle(messages.RunNoted{Text: "the workspace does not load as it is now, so this run goes on: " + diagnose(err, "")[0].Message})
			redefined = false
		}
		add(others)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.under.Changed(readers)
	if redefined {
		r.under.Redefined()
	}
	r.stale = true
}

// otherwise is which tasks of the workspace are declared otherwise in its files as they are now.
func (r *round) otherwise() (positions []int, err error) {
	now, err := r.open()
	if err != nil {
		return nil, err
	}
	defer now.Close()
	return r.w.G.Differing(now.G), nil
}

// judge is what was found, or that something under way is stale.
func (r *round) judge(found watch.Event) watch.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.core.Patient && r.under.Stop() {
		return watch.FoundStale
	}
	return found
}

// tell shows a line of the watch among those of the run.
func (r *round) tell(text string) {
	if r.screen == nil {
		defer r.printer.Hide()()
	}
	r.watching.tell(text)
}

func (r *round) note(text string) {
	if !r.has("quiet") {
		r.printer.Handle(messages.RunNoted{Text: text})
	}
}

// stopNote says why a run is stopped.
func stopNote(changed []string) string {
	if len(changed) == 0 {
		return "stopping this run"
	}
	return changeNote(changed, "stopping this run")
}
