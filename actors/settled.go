package actors

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/schedule"
	"github.com/haz-build/haz/workspace"
)

// Settled is a task of the plan that is up to date before the run begins: carried out, it would be a hit of which nothing has to be written,
// of which nothing is said but what it printed, and at whose end nothing has to be written down.
//
// That takes, beside what its key is made of: that its condition holds; that its entry is there, whole, and that nobody has asked to have it
// made anew; that its outputs lie in the tree as recorded, that its product list lists them under this key, and that no execution of it was
// left half made; that no pattern of it is worth a note of its own. Who is never cached, who has the terminal, and who is there as a
// finalizer is not among them. A set of settled tasks is closed: of each, all upstreams in the plan are in it, over edges of whatever kind.
type Settled struct {
	Task int // position in the plan
	Hit  Hit
}

// Hit is what there is of a settled task, as it was found before the run began. It is asked of by several goroutines, and does not change
// until the end of the run; it is made when it is asked for, so that a plan of many tasks does not hold it all.
type Hit interface {
	// Result is the key, the attempt on which the result was made (at least 1), and the product without Wrote and Reads, which follow
	// from its outputs.
	Result() (key entry.Key, attempt int, product messages.Product)
	// Printed are the bytes that the result is stored with, verified, and how they followed each other.
	Printed() (stdout, stderr []byte, order cache.StreamOrder)
	// Kept is what lies in the tree, as the product list has it, with the stats that were found to be the same.
	Kept() []state.Produced
	// Missed are the patterns of overlays, defaults and sets of files that select nothing: of them is spoken at the end of the run.
	Missed() []MissedPattern
}

// MissedPattern is a pattern of a task that selected nothing.
type MissedPattern struct {
	Output bool // it is among the outputs
	At     int  // its position there
}

// UpToDate is a task that was a hit of which nothing had to be written, neither in the tree nor in its product list, and of which there was nothing to say: the
// next run may find it settled. All of it is to be read only.
type UpToDate struct {
	Task     *workspace.Task
	Derived  *key.Derived
	Manifest *cache.Manifest
	Product  messages.Product
	Foreseen Foresight // of a foreseen task, whose Derived says less; else nil
}

// ofEach holds something for each task that has an actor.
type ofEach[T any] struct {
	settled *schedule.Settled
	list    []T
}

func newOfEach[T any](r *running) ofEach[T] {
	return ofEach[T]{r.settled, make([]T, r.settled.Left(len(r.o.Plan.Tasks)))}
}

func (e *ofEach[T]) of(task int) *T { return &e.list[e.settled.Place(task)] }

// settle opens the ledger, and has it write down what is settled (EXEC-053). Where that is not all that would become of these tasks, none is: each finds
// out by itself.
func (r *running) settle() {
	r.book = &book{l: schedule.NewLedger(r.o.Plan, r.rules())}
	if len(r.o.Settled) == 0 {
		return
	}
	tasks := make([]int, len(r.o.Settled))
	for i, s := range r.o.Settled {
		if tasks[i] = s.Task; i > 0 && tasks[i-1] >= s.Task {
			panic("settled tasks are not in the order of the plan")
		}
	}
	var settled *schedule.Settled
	var good bool
	if p := caught(func() { settled, good = r.book.l.Settle(r.o.Clock.Now(), tasks, r.settledHit) }); p != nil || !good {
		r.book = &book{l: schedule.NewLedger(r.o.Plan, r.rules())}
		return
	}
	r.settled = settled
}

// settledHit is what a settled task comes to.
func (r *running) settledHit(task int) (h schedule.Hit) {
	h.Key, h.Attempt, h.Product = r.hit(task).Result()
	h.Product.Wrote, h.Product.Reads = claims(r.o.Plan.G, r.o.Plan.Tasks[task], h.Product.Outputs)
	return h
}

// hit is what there is of a settled task.
func (r *running) hit(task int) Hit {
	i, _ := slices.BinarySearchFunc(r.o.Settled, task, func(s Settled, task int) int { return s.Task - task })
	return r.o.Settled[i].Hit
}

// reopen gives a settled task the job that it would have left behind (EXEC-055): of a hit of which everything was written down.
func (b *builder) reopen(j *job, h Hit) {
	key, _, _ := h.Result()
	j.released, j.restored, j.was = true, true, key
	b.keep(j, key, h.Kept(), true)
}

// tellSettled shows the host what becomes of settled tasks (EXEC-052), one after the other, as what carries them out would: start, what was printed, end.
func (r *running) tellSettled() {
	if r.settled.Len() == 0 || r.o.Observe == nil {
		return
	}
	outcomes, _ := r.book.report()
	for i := range r.settled.Order {
		if r.over.Load() {
			return
		}
		o := &outcomes[i]
		r.show(messages.TaskStarted{Task: o.Task, At: o.Started})
		if o.StdoutLen+o.StderrLen > 0 {
			r.replay(o, r.hit(i))
		}
		r.show(messages.TaskFinished{Outcome: *o})
	}
}

// replay shows what a settled task has printed.
func (r *running) replay(o *messages.Outcome, h Hit) {
	stdout, stderr, order := h.Printed()
	for isStderr, length := range order.Pieces(int64(len(stdout)), int64(len(stderr))) {
		from := &stdout
		if isStderr {
			from = &stderr
		}
		piece := (*from)[:length]
		*from = (*from)[length:]
		for part := range slices.Chunk(piece, replayed) {
			r.show(messages.TaskOutput{Task: o.Task, Stderr: isStderr, Bytes: part, Replayed: true})
		}
	}
}

// settledRun is a run of which every task is settled (EXEC-054): nothing has to be decided in it, so that it has no actors. One goroutine shows the
// host what has become of the tasks. Wishes to end the run are heard, and one who is stuck in the host is left there then, as in any run.
type settledRun struct {
	r *running

	mu   sync.Mutex
	last lastWords
	over bool
}

func (s *settledRun) begin() {
	s.r.book.begin()
	s.arm()
	s.r.hooks.Go(func() {
		err := errors.New("the observer of the run ended its goroutine") // runtime.Goexit
		defer func() { s.end(false, err) }()
		p := caught(s.r.tellSettled)
		err = nil
		if p != nil {
			err = fmt.Errorf("the observer actor died: %s\n%s", p.reason, p.stack) // as where there is one
		}
	})
}

func (s *settledRun) arm() { s.r.timers.after(s.r.o.StallEvery, s.tick) }

func (s *settledRun) tick() {
	s.mu.Lock()
	enough := s.last.tick(s.r, false, true) // it is in the middle of something, or there would be no tick
	s.mu.Unlock()
	if enough {
		s.end(s.r.host.busy(), nil)
		return
	}
	s.arm()
}

// cancel writes a request to end the run down: the outcomes stand.
func (s *settledRun) cancel(m messages.CancelRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	if m.Signal != "" {
		s.last.signals++
	}
	s.r.attempt("cancelling the run", func() { s.r.book.step(s.r.o.Clock.Now(), m) })
}

// ask answers what is asked of a run in which nothing is left to be done.
func (s *settledRun) ask(m any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.r.attempt("asking something of the run", func() {
		for _, c := range s.r.book.step(s.r.o.Clock.Now(), m) {
			if m, ok := c.Msg.(messages.CommandAnswered); ok {
				s.r.asked.answer(m)
			}
		}
	})
}

// end hands the result over.
func (s *settledRun) end(stuck bool, crash error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.over = true
	s.r.result.ObserverStuck = stuck
	s.r.reply(crash)
}
