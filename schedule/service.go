package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Services (EXEC-071 to EXEC-077), seen from both ends. A service tells its key as soon as it has it, and stands by until a dependent has to run
// its process; that one waits until all services that it needs are ready, and queues then. Who uses a service is counted by the ledger, which
// says when nobody does any more.

// serving is what a service knows of itself.
type serving struct {
	askers   []int // dependents that asked for it, in the order in which they did
	wanted   bool  // it is to be started when its key has been told
	told     bool  // its key
	unused   bool  // nobody needs it any more
	up       bool  // this process of it was ready
	late     bool  // it is being stopped because it was not ready in time
	served   bool  // it is being stopped because nobody needs it any more
	restarts int
	ports    int // processes that could not have the port that they were given
	port     int
}

// maxPorts is how often a service is given another free port, when somebody was faster (EXEC-077).
const maxPorts = 3

// needing is what a dependent knows of the services that it needs.
type needing struct {
	ready map[int]int // those that are ready, with the ports that they have in this run
	lost  *messages.ServiceLost
}

// The service.

// serviceResolved tells the key of a service; nothing is looked up.
func (t *Task) serviceResolved(now time.Time, m messages.ServiceResolved) []Command {
	if t.state != Resolving {
		return nil
	}
	cs := t.keyed(m.Keyed)
	if t.s.told { // its inputs moved while it waited to be started; its dependents know the key that it had, and look at its inputs themselves
		return append(cs, t.queue(now, "")...)
	}
	t.product.Own, t.product.Closure = m.Own, m.Closure
	t.enter(Standby)
	return append(cs, Command{ToAdmission, messages.TaskHeldUp{Ref: t.ref()}},
		Command{ToSupervisor, messages.ServiceKeyed{Ref: t.request(), Digests: t.upstreamDigests()}})
}

// serviceNoted comes when the supervisor knows that the key was told.
func (t *Task) serviceNoted(now time.Time) []Command {
	if t.s == nil || t.s.told || t.state != Standby {
		return nil
	}
	t.s.told = true
	var cs []Command
	for _, d := range t.c.down {
		if d.Hard {
			cs = append(cs, Command{ToTask, messages.UpstreamCompleted{Run: t.c.Run, Task: d.Task, Digests: t.upstreamDigests()}})
		}
	}
	switch {
	case t.s.unused:
		return append(cs, t.notNeeded(now)...)
	case t.s.wanted || t.c.target:
		return append(cs, t.queue(now, "")...)
	}
	return cs
}

// needService is a dependent that is about to run.
func (t *Task) needService(now time.Time, m messages.NeedService) []Command {
	if t.s == nil || t.state == Finished {
		return nil
	}
	if !slices.Contains(t.s.askers, m.By) {
		t.s.askers = append(t.s.askers, m.By)
	}
	t.s.wanted = true
	switch {
	case t.state == Serving:
		return []Command{t.readyFor(m.By)}
	case t.state == Standby && t.s.told:
		return t.queue(now, "")
	}
	return nil
}

func (t *Task) readyFor(dependent int) Command {
	return Command{ToTask, messages.ServiceReady{Run: t.c.Run, Task: dependent, Upstream: t.c.index, Port: t.s.port}}
}

// processReady follows the first look at which the service answered. The event is of whoever numbers those of its output.
func (t *Task) processReady(m messages.ProcessReady) []Command {
	if t.s == nil || t.state != Executing {
		return nil
	}
	t.enter(Serving)
	t.s.port, t.s.up = m.Port, true
	cs := []Command{{ToCache, messages.GiveLocksBack{Ref: t.ref()}}, {ToAdmission, messages.TaskHeldUp{Ref: t.ref()}}, {ToSupervisor, messages.ServiceUp{Ref: t.ref()}}}
	for _, d := range t.s.askers {
		cs = append(cs, t.readyFor(d))
	}
	return cs
}

// readyExpired ends a service that has not answered in time.
func (t *Task) readyExpired() []Command {
	if t.s == nil || t.state != Executing {
		return nil
	}
	t.s.late = true
	return t.stopProcess(false)
}

// serviceUnused ends a service that nobody needs any more.
func (t *Task) serviceUnused(now time.Time) []Command {
	if t.s == nil || t.s.unused {
		return nil
	}
	t.s.unused = true
	if t.state == Serving && t.c.Keep && !t.force {
		t.s.served = true
		t.enter(Stopping)
		return []Command{{ToProcesses, messages.LeaveProcess{Ref: t.ref()}}, {ToTimer, messages.GraceExpired{Ref: t.ref()}}}
	}
	switch t.state {
	case Executing, Serving:
		t.s.served = true
		return t.stopProcess(false)
	case Standby:
		if !t.s.told {
			return nil // when it is
		}
	case Awaiting, Queueing, Preparing, HeldUp, Settling, Delaying, Resolving:
		return append([]Command{{ToCache, messages.AbandonWork{Ref: t.ref()}}}, t.notNeeded(now)...)
	default:
		return nil
	}
	return t.notNeeded(now)
}

// notNeeded ends a service whose process does not run: it is skipped, unless one of its processes has served. Of one that was stopped by request before it
// had a process people have seen the start: it is cancelled (I3).
func (t *Task) notNeeded(now time.Time) []Command {
	switch {
	case t.out.Spawned > 0:
		return t.wasServed(now)
	case t.observed && t.again:
		return t.cancelled(now, messages.Requested, workspace.TaskID{}, false)
	}
	t.withoutKey()
	return t.skip(now, messages.NotNeeded, workspace.TaskID{})
}

func (t *Task) wasServed(now time.Time) []Command {
	t.out.Served = true
	return t.completed(now, messages.NotStored, "a service has no result", "")
}

// withoutKey is for who is skipped though it may have a key already: whether it has depends on who was faster.
func (t *Task) withoutKey() { t.out.Key, t.out.HasKey, t.out.Miss = entry.Key{}, false, nil }

// serviceExited follows the end of the process of a service, however it came.
func (t *Task) serviceExited(now time.Time, m messages.ProcessExited) []Command {
	t.out.Kept = m.Kept
	up := t.s.up
	t.s.up = false
	if t.s.served || t.s.unused {
		t.again = false
	}
	switch {
	case t.cancel && m.Cancelled && (!up || t.asked):
		return t.cancelled(now, t.cause(messages.Signalled), workspace.TaskID{}, true)
	case t.s.served || t.s.unused:
		return t.wasServed(now)
	case t.cancel && m.Cancelled:
		return t.cancelled(now, messages.Signalled, workspace.TaskID{}, true)
	case t.n.lost != nil && m.Cancelled:
		return t.cancelled(now, messages.ServiceDied, t.n.lost.Root, true)
	case t.startsAgain(m):
		t.out.Restarted++
		return t.another(now, m, messages.TaskRestarted{Task: t.c.id})
	case t.s.late:
		t.out.TimedOut = t.c.service.Ready.Timeout
		return t.fail(now, messages.TaskError{Kind: messages.ErrNotReady, Reason: strings.TrimSuffix(fmt.Sprintf("not ready after %s: %s", workspace.Period(t.c.service.Ready.Timeout), m.Unready), ": "),
			Hint: "look at what it printed; service: {ready: {timeout: …}} gives it more time"}, true)
	case m.PortTaken && t.c.service.AutoPort && t.s.ports < maxPorts && !t.cancel && !t.onlyThis:
		t.s.ports++
		return t.restart(now, m)
	case t.s.restarts < t.c.service.Restarts && !t.cancel && !t.onlyThis:
		t.s.restarts++
		return t.restart(now, m)
	case m.Code == 0 && m.Signal == 0:
		return t.fail(now, messages.TaskError{Kind: messages.ErrServiceEnded, Reason: "its process ended by itself, with exit code 0", Hint: "the process of a service stays: let its command not go to the background (exec, --foreground)"}, true)
	}
	return t.failed(now, messages.Attempt{ExitCode: m.Code, Signal: m.Signal})
}

// restart starts a service again whose process has ended while it was needed. Dependents that have not begun wait; the others go on.
func (t *Task) restart(now time.Time, m messages.ProcessExited) []Command {
	n := t.s.restarts + t.s.ports
	a := messages.Attempt{ExitCode: m.Code, Signal: m.Signal, Took: now.Sub(t.spawnAt)}
	return t.another(now, m, messages.AttemptFailed{Task: t.c.id, N: n, Allowed: max(n+1, 1+t.c.service.Restarts), Attempt: a})
}

// another follows the process of a service by another one.
func (t *Task) another(now time.Time, m messages.ProcessExited, told messages.Event) []Command {
	t.setProduct(messages.Product{Own: t.product.Own, Closure: t.product.Closure}) // what it printed is not of the next one
	t.last = messages.Attempt{ExitCode: m.Code, Signal: m.Signal, Took: now.Sub(t.spawnAt)}
	cs := []Command{t.observe(told)}
	for _, d := range t.s.askers {
		cs = append(cs, Command{ToTask, messages.ServiceLost{Run: t.c.Run, Task: d, Upstream: t.c.index, Restarting: true}})
	}
	return append(cs, t.queue(now, "")...)
}

// The dependent.

// lacks are the services that a task needs and that are not ready, as far as it knows.
func (t *Task) lacks() (services []int) {
	for _, u := range t.c.services {
		if _, is := t.n.ready[u]; !is {
			services = append(services, u)
		}
	}
	return services
}

// await waits for services before it queues; nil: there are none to wait for.
func (t *Task) await(now time.Time) []Command {
	lacks := t.lacks()
	if len(lacks) == 0 {
		return nil
	}
	t.enter(Awaiting)
	t.queuedAt = now
	cs := []Command{{ToAdmission, messages.TaskHeldUp{Ref: t.ref()}}}
	for _, u := range lacks {
		cs = append(cs, Command{ToTask, messages.NeedService{Run: t.c.Run, Task: u, By: t.c.index}})
	}
	return cs
}

func (t *Task) serviceReady(m messages.ServiceReady) []Command {
	if t.n.ready == nil {
		t.n.ready = map[int]int{}
	}
	t.n.ready[m.Upstream] = m.Port
	if t.state != Awaiting || len(t.lacks()) > 0 {
		return nil
	}
	t.enter(Queueing)
	return []Command{{ToAdmission, messages.AskSlot{Ref: t.request()}}}
}

// serviceLost ends a task that cannot run without a service, unless it has run already, or need not.
func (t *Task) serviceLost(now time.Time, m messages.ServiceLost) []Command {
	delete(t.n.ready, m.Upstream)
	if m.Restarting {
		if t.state != Queueing {
			return nil // who holds a slot has been there for it; who waits hears of it when it is ready
		}
		t.stopQueueing(now)
		return t.await(now)
	}
	if t.n.lost == nil {
		t.n.lost = &m
	}
	switch t.state {
	case Awaiting, Queueing, Preparing, HeldUp, Settling, Delaying:
		cs := []Command{{ToCache, messages.AbandonWork{Ref: t.ref()}}}
		return append(cs, t.withoutService(now)...)
	case Executing, Serving:
		return t.stopProcess(false)
	}
	return nil
}

// withoutService is how a task ends that cannot begin, or not once more, since a service is lost.
func (t *Task) withoutService(now time.Time) []Command {
	switch lost := t.n.lost; {
	case t.again: // stopped by request, and never to be started again: it has not failed
		return t.cancelled(now, messages.ServiceDied, lost.Root, t.state == Settling)
	case t.s != nil && t.out.Spawned > 0: // a service that was to be started again
		return t.failed(now, t.last)
	case t.out.Spawned > 0: // it has run, and how it failed is how it ends
		if t.state != Settling {
			t.out.Failures = t.out.Failures[:len(t.out.Failures)-1]
		}
		return t.failed(now, t.last)
	case lost.Cancelled:
		return t.cancelled(now, messages.UpstreamWasCancelled, lost.Root, false)
	default:
		t.out.TimedOut = lost.After
		t.withoutKey()
		return t.skip(now, lost.Cause, lost.Root)
	}
}
