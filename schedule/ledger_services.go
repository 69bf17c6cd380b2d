package schedule

import (
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
)

// services is the ledger's book of services: who uses them, and what was said of them. A service is in use while one of its dependents in the plan has
// no outcome, whatever that is doing; one that somebody asked for by name is in use until the run is cancelled, or stops.
type services struct {
	users  []int32 // of each task that is a service: dependents without an outcome
	is     bitset  // a service
	target bitset  // that somebody asked for, while the run goes on
	keyed  bitset  // whose dependents know its key
	up     bitset  // that is ready
}

// newServices counts who uses the services of a plan; nil where there are none.
func newServices(p *graph.Plan) *services {
	var s *services
	for i, t := range p.Tasks {
		if t.Service == nil {
			continue
		}
		if n := len(p.Tasks); s == nil {
			s = &services{users: make([]int32, n), is: newBitset(n), target: newBitset(n), keyed: newBitset(n), up: newBitset(n)}
		}
		s.is.add(i)
		if p.Stays(i) {
			s.target.add(i)
		}
		for _, e := range p.Down[i] {
			if e.Kind == graph.Hard {
				s.users[i]++
			}
		}
	}
	return s
}

// told reports whether the dependents of a service know its key: what becomes of it then is no matter of theirs but while they run.
func (s *services) told(task int) bool { return s != nil && s.keyed.has(task) }

// stays reports whether a service goes on in a run that stops, for those that use it: it ends when they have.
func (s *services) stays(task int) bool {
	return s != nil && s.keyed.has(task) && (s.users[task] > 0 || s.target.has(task))
}

// serviceKeyed lets the dependents of a service become ready.
func (l *Ledger) serviceKeyed(m messages.ServiceKeyed) []Command {
	i := m.Task
	answer := Command{ToTask, messages.ServiceNoted{Ref: m.Ref}}
	if l.services == nil || l.has.has(i) || l.services.keyed.has(i) {
		return []Command{answer}
	}
	l.services.keyed.add(i)
	l.keepDigests(i, m.Digests)
	tell := messages.TasksReady{Run: l.r.Run}
	for _, d := range l.plan.Downstreams(i) {
		l.pending[d.Task]--
		if l.pending[d.Task] == 0 && !l.has.has(d.Task) {
			tell.Ready = append(tell.Ready, d.Task)
		}
	}
	cs := []Command{{ToAdmission, tell}, answer}
	return append(cs, l.unused(i)...) // nobody may have been left, or there was nobody at all
}

// leaveServices follows the end of a task: the services that it used may be in use no more.
func (l *Ledger) leaveServices(task int) (cs []Command) {
	if l.services == nil {
		return nil
	}
	for _, e := range l.plan.Up[task] {
		if e.Kind == graph.Hard && l.services.is.has(e.Task) {
			if l.services.users[e.Task]--; l.services.users[e.Task] == 0 {
				cs = append(cs, l.unused(e.Task)...)
			}
		}
	}
	return cs
}

// unused tells a service that nobody needs it, if that is so.
func (l *Ledger) unused(service int) []Command {
	if l.has.has(service) || l.services.users[service] > 0 || l.services.target.has(service) {
		return nil
	}
	return []Command{{ToTask, messages.ServiceUnused{Run: l.r.Run, Task: service}}}
}

// endTargets (EXEC-076) follows the word that the run stops: nobody stays for its own sake any more.
func (l *Ledger) endTargets() (cs []Command) {
	if l.services == nil {
		return nil
	}
	for i := range l.services.target.all() {
		l.services.target.remove(i)
		if l.services.keyed.has(i) {
			cs = append(cs, l.unused(i)...)
		}
	}
	return cs
}

// serviceLost tells the dependents of a service that has failed, and has told its key, that they cannot begin any more.
func (l *Ledger) serviceLost(service int, o messages.Outcome) (cs []Command) {
	cancelled, cause, root := cascade(o)
	for _, e := range l.plan.Down[service] {
		if e.Kind == graph.Hard && !l.has.has(e.Task) {
			cs = append(cs, Command{ToTask, messages.ServiceLost{Run: l.r.Run, Task: e.Task, Upstream: service, Cancelled: cancelled, Cause: cause, Root: root, After: after(o)}})
		}
	}
	return cs
}

// onlyServes reports whether all that is left are services that are ready, some of which stay because somebody asked for them, and the others because these
// need them: nothing has to move. serving is how many processes are.
func (l *Ledger) onlyServes(serving int) bool {
	if l.services == nil || l.missing == 0 || serving < l.missing {
		return false
	}
	left, stay := 0, false
	for i := range l.services.is.all() {
		if l.has.has(i) {
			continue
		}
		if !l.services.up.has(i) {
			return false
		}
		stay = stay || l.services.target.has(i)
		left++
	}
	return stay && left == l.missing
}
