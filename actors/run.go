package actors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/schedule"
)

// Handle is a run under way.
type Handle struct {
	r    *running
	done chan struct{}
	mu   sync.Mutex
	n    int
}

// running is what the actors of one run share: addresses, fixed at the start, and what they leave to others.
type running struct {
	o        Options
	hooks    hooked
	system   *actor.ActorSystem
	pool     *pool
	lane     *lane
	builder  *builder  // of the cache actor
	children *children // of the processes actor
	host     host      // calls of the observer
	budget   *budget   // of output on its way to the observer
	spool    *spool
	book     *book
	settled  *schedule.Settled // nil when none is
	alone    *settledRun       // nil unless all are

	root, supervisor, admission, cache, processes, observer, tasks *actor.PID

	born ofEach[atomic.Pointer[actor.PID]] // of the task actors: nil before it has its first message, gone after its end

	pulse                      pulse
	delays                     atomic.Int64 // tasks that wait for the time of their next attempt
	timers                     *timers
	cacheAsked, processesAsked atomic.Bool // whether they have nothing under way any more

	asked  asked    // of the run by its host
	deaths sync.Map // id of an actor → messages.ActorCrashed

	noStart atomic.Bool // no process starts, nothing is published any more (S-27)
	closed  atomic.Bool // the run is over: what begins now ends at once
	mu      sync.Mutex
	trouble error // panics that no task and no actor answers for

	result  Result
	done    chan struct{}
	over    atomic.Bool // the result was handed over
	replied sync.Once
}

// Start begins a run in an actor system, which is asked for when there is anything to do for actors. The plan must not be empty. Whatever
// goes wrong afterwards is in the result.
func Start(system func() *actor.ActorSystem, o Options) (*Handle, error) {
	if o.StallEvery == 0 {
		o.StallEvery = stallEvery
	}
	if o.Budget == 0 {
		o.Budget = observeBudget
	}
	r := &running{pool: &pool{}, done: make(chan struct{}), timers: newTimers(o.Clock)}
	if o.Go == nil {
		o.Go = r.pool.Schedule
	}
	r.lane = &lane{start: r.pool.Schedule}
	r.o, r.hooks = o, newHooked(o.Hooks, o.Clock)
	r.settle()
	r.born = newOfEach[atomic.Pointer[actor.PID]](r)
	r.asked.run = o.Run
	r.budget, r.spool = newBudget(o.Budget, r.hooks.Await), &spool{fs: o.FS}
	r.builder, r.children = newBuilder(r), newChildren(r)
	var err error
	if p := caught(func() { err = r.begin(system) }); p != nil {
		err = fmt.Errorf("it panicked: %s\n%s", p.reason, p.stack) // a hook of the host, most likely
	}
	if err != nil {
		return nil, fmt.Errorf("start the run: %w", err)
	}
	return &Handle{r: r, done: r.done}, nil
}

// begin spawns the root of the run, if there is anything to do for it.
func (r *running) begin(system func() *actor.ActorSystem) error {
	if r.settled.Left(len(r.o.Plan.Tasks)) == 0 {
		r.alone = &settledRun{r: r}
		r.alone.begin()
		return nil
	}
	r.system = system()
	ready := make(chan struct{})
	root := &rootActor{r: r, ready: ready}
	props := r.props("run", root, func(_ actor.Context, reason, stack string) { root.died(reason, stack) }, root.gone)
	if _, err := r.system.Root.SpawnNamed(props, r.o.SpawnPrefix+"run-"+r.o.Name); err != nil {
		return err
	}
	select {
	case <-ready:
	case <-r.done: // its root died at birth
	}
	return nil
}

// Cancel asks for the end of the run: by a signal, or (empty name) by the host. It ends a suspension.
func (h *Handle) Cancel(signal string, number int) {
	h.mu.Lock()
	h.n++
	n := h.n
	h.mu.Unlock()
	h.r.children.wake()
	m := messages.CancelRun{Run: h.r.o.Run, N: n, Signal: signal, Number: number}
	if h.r.alone != nil {
		h.r.alone.cancel(m)
		return
	}
	h.r.send(h.r.root, m)
}

// Kill is the last act for a run that is given up: SIGKILL to all of its own processes, whatever its actors are at. It returns when
// that is done, or after a second.
func (h *Handle) Kill() { h.r.children.killNow() }

// Done is closed when the run has ended and none of its actors is left.
func (h *Handle) Done() <-chan struct{} { return h.done }

// Notes are remarks on the run that need its end: on patterns of overlays. Valid once Done is closed; it looks at the disk.
func (h *Handle) Notes(ctx context.Context) []messages.Note { return h.r.builder.missedByAll(ctx) }

// Result is valid once Done is closed.
func (h *Handle) Result() Result { return h.r.result }

// rules are what the machines know of the run.
func (r *running) rules() schedule.Rules {
	return schedule.Rules{Run: r.o.Run, Cap: r.o.Cap, Keep: r.o.Services != nil, FailFast: r.o.FailFast, Lookup: r.o.Lookup, Store: r.o.Store, Grace: r.o.Grace, Timeout: r.o.Timeout}
}

// send delivers a message from outside any actor. When the run is over nobody is there any more, and a message would be a dead
// letter in the system of a host.
func (r *running) send(to *actor.PID, m any) {
	if to != nil && !r.over.Load() {
		r.system.Root.Send(to, m)
	}
}

// lock waits for a lock that is held over work of any length.
func (r *running) lock(mu *sync.Mutex) {
	if r.hooks.Await != nil {
		r.hooks.Await(mu.TryLock)
		return
	}
	mu.Lock()
}

// stopStarts is the cancel flag itself: requests that are already under way find it up.
func (r *running) stopStarts() { r.noStart.Store(true) }

// mayNot reports whether that flag is up for a task: it is not for those that go on when a run stops (EXEC-050), unless everything is killed.
func (r *running) mayNot(task int) bool {
	return r.noStart.Load() && (r.children.killing.Load() || !r.book.spares(task))
}

// load is how much is under way outside of actors.
func (r *running) load() int { return r.children.busy() + r.builder.busy() }

// treeChanged forgets what directories held, and which programs there were: a process or a restore may have written anywhere.
func (r *running) treeChanged() {
	r.o.Tree.ForgetAll()
	r.o.Deriver.Forget()
}

// moved says that the folder of the workspace is not where it was when the run began: what was read is in one folder, and what
// goes by its path would come to another one, or to none. "" while it is in its place.
func (r *running) moved() string {
	if p, ok := r.o.FS.(fsys.Place); !ok || p.InPlace() {
		return ""
	}
	return fmt.Sprintf("the folder of the workspace, %s, was moved, replaced or removed while haz ran", r.o.FS.HostPath("/"))
}

// attempt calls f, of which no outcome depends; a panic in it is a crash of the run.
func (r *running) attempt(what string, f func()) {
	if p := caught(f); p != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.trouble = errors.Join(r.trouble, fmt.Errorf("%s panicked: %s\n%s", what, p.reason, p.stack))
	}
}

func (r *running) crash() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trouble
}

// peer resolves whom a command goes to.
func (r *running) peer(p schedule.Peer) *actor.PID {
	switch p {
	case schedule.ToCache:
		return r.cache
	case schedule.ToAdmission:
		return r.admission
	case schedule.ToProcesses:
		return r.processes
	case schedule.ToSupervisor:
		return r.supervisor
	case schedule.ToObserver:
		return r.observer
	}
	return r.root
}

// toTask is where a message for a task goes: to its actor, or to tasks, which spawns that.
func (r *running) toTask(m any) *actor.PID {
	if m, ok := m.(messages.ForTask); ok {
		if pid := r.taskActor(m.TaskIndex()); pid != nil {
			return pid
		}
	}
	return r.tasks
}

// gone stands for the address of an actor that has ended.
var gone = &actor.PID{}

// taskActor is the actor of a task that can be written to; nil when there is none.
func (r *running) taskActor(i int) *actor.PID {
	if pid := r.born.of(i).Load(); pid != gone {
		return pid
	}
	return nil
}

// tell delivers a message to a task from outside any actor.
func (r *running) tell(m any) { r.send(r.toTask(m), m) }

// perform carries commands out, in order.
func (r *running) perform(ctx actor.Context, cs []schedule.Command) {
	for _, c := range cs {
		if c.To == schedule.ToTimer {
			m := c.Msg
			r.timers.after(r.waitFor(m), func() { r.tell(m) })
			continue
		}
		to := r.peer(c.To)
		if c.To == schedule.ToTask {
			to = r.toTask(c.Msg)
		}
		ctx.Send(to, c.Msg)
	}
}

// waitFor is how long it takes until a message of a timer comes.
func (r *running) waitFor(m any) time.Duration {
	grace := func(task int) time.Duration {
		if s := r.o.Plan.Tasks[task].Service; s != nil && s.Stop.Grace != nil {
			return *s.Stop.Grace
		}
		return r.o.Grace
	}
	switch m := m.(type) {
	case messages.PatienceExpired:
		return schedule.Patience(grace(m.Task))
	case messages.GraceExpired:
		return grace(m.Task)
	case messages.ReadyExpired:
		return r.o.Plan.Tasks[m.Task].Service.Ready.Timeout
	}
	return r.o.Grace
}

// wait tells a task when its next attempt is due. Meanwhile nothing is under way for it, and nothing is lost either.
func (r *running) wait(m messages.AttemptDue) (end func()) {
	r.delays.Add(1)
	over := sync.OnceFunc(func() { r.delays.Add(-1) })
	stop := r.timers.after(m.After, func() {
		r.tell(m)
		over()
	})
	return func() {
		stop()
		over()
	}
}

// rootActor is the root of a run: it spawns the others, relays cancellation, and owns the one reply. It decides nothing
// that can fail.
//
//	running ─▶ closing ─▶ stopping
//
// closing: every task has an outcome; the observer is seeing the last events. An essential actor's death leads there too.
type rootActor struct {
	r       *running
	ready   chan struct{}
	closing bool
	stopped bool
	crash   error
	dead    map[string]bool // essential actors
	deaf    bool            // the observer is dead: nobody closes the events
	last    lastWords
	ticks   int // armed
	stop    func()
}

// lastWords is how long the end of a run waits for an observer that has more to see.
type lastWords struct {
	signals int    // that asked for the end
	rounds  int    // intervals that it has taken; of a run that came to its end by itself, without anything seen
	seen    uint64 // events that the observer had returned from at the last look
}

// patience is how many intervals the end may take.
func (w *lastWords) patience(crashed bool) int {
	switch {
	case w.signals >= 3:
		return 1
	case crashed:
		return closeRounds * crashPace
	}
	return closeRounds
}

// tick is one interval more. It reports whether nobody waits any longer: an observer that is stuck after a cancellation must not keep haz alive.
func (w *lastWords) tick(r *running, crashed, busy bool) (over bool) {
	w.rounds++
	cancelled, _ := r.book.cancelled()
	if seen := r.host.returned.Load(); seen != w.seen && !cancelled && !crashed {
		w.seen, w.rounds = seen, 1 // slow, not stuck
	}
	return w.rounds >= w.patience(crashed) && (cancelled || crashed || !busy)
}

// tick is the root's reminder to itself: that an interval has passed since it was armed for the n-th time.
type tick struct{ n int }

// look reminds the supervisor to look whether anything can still move.
type look struct{ round int }

func (a *rootActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		a.begin(ctx)
	case messages.CancelRun:
		a.cancel(ctx, m)
	case messages.ActorCrashed:
		a.crashed(ctx, m)
	case messages.CommandAnswered:
		a.r.asked.answer(m)
	case messages.RunEnded:
		a.close(ctx, false)
	case messages.EventsClosed:
		a.finish(ctx)
	case *actor.Terminated:
		if a.stopped {
			break
		}
		if why, ok := a.r.deaths.Load(m.Who.Id); ok { // its own word may come later
			a.crashed(ctx, why.(messages.ActorCrashed))
		} else if a.crash == nil {
			a.crashed(ctx, messages.ActorCrashed{Actor: m.Who.Id, Reason: "it stopped"})
		}
	case tick:
		if m.n == a.ticks {
			a.tick(ctx)
		}
	}
}

// gone comes when the root and all its children have ended.
func (a *rootActor) gone() {
	if a.stop != nil {
		a.stop()
	}
	a.r.over.Store(true) // nobody is there any more
	a.r.replyWhenIdle(a.crash)
}

// died is the last word of the root: the run ends without it. Its children stop with it; one that is stuck in a call of the
// host's is not waited for without end.
func (a *rootActor) died(reason, stack string) {
	a.crash = errors.Join(a.crash, fmt.Errorf("the root of the run died: %s\n%s", reason, stack))
	crash, r := a.crash, a.r
	r.timers.after(closeRounds*r.o.StallEvery, func() { r.reply(crash) })
	r.complete("the root of the run died: " + reason)
	r.children.killAll()
}

// cancel passes a request to end the run on. The third signal ends it whatever the observer is at.
func (a *rootActor) cancel(ctx actor.Context, m messages.CancelRun) {
	r := a.r
	r.timers.after(r.o.Grace, r.budget.open) // what tasks say while they end is shown, but not waited for without end
	if m.Signal != "" {
		a.last.signals++
	}
	ctx.Send(r.supervisor, m)
}

// begin spawns the actors of the run and tells the supervisor to open it.
func (a *rootActor) begin(ctx actor.Context) {
	r := a.r
	r.root = ctx.Self()
	spawn := func(name string, inner actor.Actor) *actor.PID {
		return ctx.SpawnPrefix(r.props(name, inner, r.essential(name), nil), name)
	}
	r.observer = spawn("observer", newObserver(r))
	r.admission = spawn("admission", newAdmission(r))
	r.processes = spawn("processes", newProcesses(r))
	r.cache = spawn("cache", newCache(r))
	r.tasks = spawn("tasks", newTasks(r))
	r.supervisor = spawn("supervisor", &supervisor{r: r})
	a.arm()
	close(a.ready)
	ctx.Send(r.supervisor, beginRun{})
}

// arm begins an interval. A tick of one that was broken off counts for nothing, also when it is on its way.
func (a *rootActor) arm() {
	if a.stop != nil {
		a.stop()
	}
	every := a.r.o.StallEvery
	if a.crash != nil {
		every /= crashPace
	}
	a.ticks++
	n := a.ticks
	a.stop = a.r.timers.after(every, func() { a.r.send(a.r.root, tick{n}) })
}

// crashed ends the run after the death of an essential actor: everything is killed, and the crash is the result.
func (a *rootActor) crashed(ctx actor.Context, m messages.ActorCrashed) {
	if a.dead[m.Actor] {
		return
	}
	if a.dead == nil {
		a.dead = map[string]bool{}
	}
	a.dead[m.Actor] = true
	if a.crash == nil { // look more often from now on whether all is over
		defer a.arm()
	}
	a.crash = errors.Join(a.crash, fmt.Errorf("the %s actor died: %s\n%s", m.Actor, m.Reason, m.Stack))
	a.deaf = a.deaf || m.Actor == "observer"
	// First the outcomes: what is killed would report one of its own, which does not say why.
	a.r.complete(fmt.Sprintf("the %s actor died: %s", m.Actor, m.Reason))
	a.r.children.killAll()
	a.close(ctx, true)
}

// close asks the observer to come to an end. Its time begins with the first asking: of a run that was given up it is one interval,
// which a tick that had waited meanwhile would make none.
func (a *rootActor) close(ctx actor.Context, hurry bool) {
	if !a.closing {
		a.closing = true
		a.arm()
	}
	if a.deaf {
		a.finish(ctx)
		return
	}
	outcomes, _ := a.r.book.report()
	ctx.Send(a.r.observer, messages.CloseEvents{Run: a.r.o.Run, Outcomes: outcomes, Hurry: hurry})
}

// tick hurries an end that does not come: an event was lost, or the observer is dead.
func (a *rootActor) tick(ctx actor.Context) {
	if a.stopped {
		return
	}
	a.arm()
	if !a.closing {
		ctx.Send(a.r.supervisor, look{int(a.r.pulse.rounds.Add(1))})
		return
	}
	busy := a.r.host.busy() || a.r.pulse.inside.Load() > 0
	if !a.last.tick(a.r, a.crash != nil, busy) {
		a.close(ctx, a.last.rounds > 1 && !busy) // the first time, the word may just be slow; and who is in the middle has more to tell
		return
	}
	a.r.result.ObserverStuck = a.r.host.busy() // nobody waits for its actor
	a.stopped = true
	ctx.Stop(ctx.Self())
	a.r.reply(a.crash)
}

// finish stops all actors; the reply comes when they are gone.
func (a *rootActor) finish(ctx actor.Context) {
	if a.stopped || a.crash != nil && a.r.load() > 0 && a.last.rounds < a.last.patience(true) {
		return
	}
	a.stopped = true
	ctx.Stop(ctx.Self())
}

// replyWhenIdle hands the result over as soon as nothing is under way. Only where the root died has anything been left: its actors
// stop with it, and what was killed may need a moment. That moment has an end (died).
func (r *running) replyWhenIdle(crash error) {
	if crash == nil || r.load() == 0 {
		r.reply(crash)
		return
	}
	r.timers.after(r.o.StallEvery/crashPace, func() { r.replyWhenIdle(crash) })
}

// complete gives every task an outcome that has none.
func (r *running) complete(reason string) {
	now := time.Now()
	_ = caught(func() { now = r.o.Clock.Now() }) // a clock of the host may be what panicked
	r.book.complete(now, reason)
}

// reply hands the result over, once. From now on nothing of the run sends a message, and none of its timers comes.
func (r *running) reply(crash error) {
	r.replied.Do(func() {
		defer close(r.done)
		defer r.pool.close()
		r.over.Store(true)
		r.closed.Store(true)
		r.asked.close()
		r.timers.close()
		r.attempt("the end of the run", func() {
			r.builder.close()
			r.spool.remove()
		})
		r.result.Outcomes, r.result.Violations = r.book.report()
		r.result.Cancelled, r.result.Signal = r.book.cancelled()
		r.result.Crash = errors.Join(crash, r.crash())
	})
}
