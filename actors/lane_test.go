package actors

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// invoker writes down what an actor is handed.
type invoker struct {
	mu   sync.Mutex
	seen []string
	on   func(m any)
}

func (i *invoker) take(kind string, m any) {
	i.mu.Lock()
	i.seen = append(i.seen, fmt.Sprint(kind, m))
	i.mu.Unlock()
	if i.on != nil {
		i.on(m)
	}
}

func (i *invoker) InvokeSystemMessage(m any)     { i.take("system ", m) }
func (i *invoker) InvokeUserMessage(m any)       { i.take("", m) }
func (i *invoker) EscalateFailure(reason, m any) { i.take("escalated ", fmt.Sprint(reason, " at ", m)) }

func (l *lane) box(on func(m any)) (*inbox, *invoker) {
	i := &invoker{on: on}
	b := l.mailbox().(*inbox)
	b.RegisterHandlers(i, nil)
	b.Start()
	return b, i
}

// byHand is a lane whose goroutine is the test's.
func byHand() (*lane, func()) {
	var todo []func()
	l := &lane{start: func(f func()) { todo = append(todo, f) }}
	return l, func() {
		for len(todo) > 0 {
			f := todo[0]
			todo = todo[1:]
			f()
		}
	}
}

func (i *invoker) is(t *testing.T, want ...string) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if !slices.Equal(i.seen, want) {
		t.Errorf("seen\n%q, want\n%q", i.seen, want)
	}
}

// What the library has to say comes first, in its order, then what others have; also when it comes in the middle of a turn.
func TestLaneSystemFirst(t *testing.T) {
	l, run := byHand()
	var b *inbox
	b, i := l.box(func(m any) {
		if m == 1 {
			b.PostSystemMessage("c")
			b.PostUserMessage(3)
		}
	})
	b.PostUserMessage(1)
	b.PostUserMessage(2)
	b.PostSystemMessage("a")
	b.PostSystemMessage("b")
	if n := b.UserMessageCount(); n != 2 {
		t.Errorf("%d messages are counted, want 2", n)
	}
	run()
	i.is(t, "system a", "system b", "1", "system c", "2", "3")
}

// A suspended actor hears the library alone, and nothing of what was posted meanwhile is lost.
func TestLaneSuspended(t *testing.T) {
	l, run := byHand()
	b, i := l.box(nil)
	b.PostSystemMessage(&actor.SuspendMailbox{})
	b.PostUserMessage(1)
	run()
	i.is(t)
	b.PostUserMessage(2)
	b.PostSystemMessage("a")
	run()
	i.is(t, "system a")
	b.PostSystemMessage(&actor.ResumeMailbox{})
	run()
	i.is(t, "system a", "1", "2")
}

// A panic goes to the library, with the message; the actor's next message, and other actors, are not concerned.
func TestLanePanics(t *testing.T) {
	l, run := byHand()
	b, i := l.box(func(m any) {
		if m == 1 {
			panic("no")
		}
	})
	other, j := l.box(nil)
	b.PostUserMessage(1)
	b.PostUserMessage(2)
	other.PostUserMessage(3)
	run()
	i.is(t, "1", "escalated no at 1", "2")
	j.is(t, "3")
}

// An actor that always has something to do does not keep the others from their turns.
func TestLaneIsFair(t *testing.T) {
	l, run := byHand()
	var b, other *inbox
	var when int
	b, _ = l.box(func(m any) {
		if n := m.(int); n < 10*throughput {
			b.PostUserMessage(n + 1)
		}
	})
	other, _ = l.box(func(any) { when = b.UserMessageCount() })
	b.PostUserMessage(0)
	other.PostUserMessage(0)
	run()
	if when != 1 {
		t.Errorf("the other one came when %d were left, want 1", when)
	}
}

// A queue keeps order, and does not grow while what it holds stays little.
func TestQueue(t *testing.T) {
	var q queue[int]
	next := 0
	for n := range 100_000 {
		q.push(n)
		if n%3 == 0 && n < 3000 { // up to 1,000 wait
			continue
		}
		if got := q.pop(); got != next {
			t.Fatalf("got %d, want %d", got, next)
		}
		next++
	}
	if q.len() != 1000 || cap(q.all) > 8192 {
		t.Errorf("%d wait in room for %d, want 1000", q.len(), cap(q.all))
	}
}

// Many actors that write to each other from many goroutines: every message is taken once, of each sender in its order, never two
// at a time, and no goroutine is left.
func TestLaneUnderLoad(t *testing.T) {
	const actors, senders, each = 50, 8, 500
	before := runtime.NumGoroutine()
	p := &pool{}
	l := &lane{start: p.Schedule}
	var inside, taken atomic.Int32
	type word struct{ sender, n int }
	boxes := make([]*inbox, actors)
	for k := range boxes {
		last := make([]int, senders)
		boxes[k], _ = l.box(func(m any) {
			if inside.Add(1) != 1 {
				t.Error("two turns at a time")
			}
			if w := m.(word); w.n <= last[w.sender] {
				t.Errorf("of sender %d, %d comes behind %d", w.sender, w.n, last[w.sender])
			} else {
				last[w.sender] = w.n
			}
			inside.Add(-1)
			taken.Add(1)
		})
	}
	var group sync.WaitGroup
	for s := range senders {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := range each {
				for _, b := range boxes {
					b.PostUserMessage(word{s, n + 1})
				}
			}
		}()
	}
	group.Wait()
	for began := time.Now(); taken.Load() < actors*senders*each; time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%d were taken, want %d", taken.Load(), actors*senders*each)
		}
	}
	p.close()
	for began := time.Now(); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
