package schedule

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// chain is a plan in which c needs a, b follows c softly, d needs b and finalizes c, and e stands alone: a is not the first to end by its name only.
func chain() *graph.Plan {
	hard := func(t int) graph.Edge { return graph.Edge{Task: t, Kind: graph.Hard} }
	w := &workspace.Workspace{}
	for i, name := range []string{"a", "b", "c", "d", "e"} {
		w.Tasks = append(w.Tasks, &workspace.Task{ID: workspace.TaskID{Project: "p", Task: name}, Index: i, Cache: name != "d", Retry: workspace.Retry{Times: i},
			Inputs: []workspace.PatternDecl{{Text: "in"}}})
	}
	soft, final := graph.Edge{Task: 2, Kind: graph.Soft}, graph.Edge{Task: 2, Kind: graph.Final}
	return &graph.Plan{G: &graph.Graph{W: w}, Tasks: w.Tasks, Target: make([]bool, 5), Conflicts: make([][]int, 5),
		Up:   [][]graph.Edge{nil, {soft}, {hard(0)}, {hard(1), final}, nil},
		Down: [][]graph.Edge{{hard(2)}, {hard(3)}, {{Task: 1, Kind: graph.Soft}, {Task: 3, Kind: graph.Final}}, nil, nil}}
}

func hitOf(task int) Hit {
	d := digest.Digest{byte(task + 1)}
	return Hit{Key: d, Attempt: task + 1, Product: messages.Product{StdoutLen: int64(task), StderrLen: 7, StdoutDigest: d, StderrDigest: d, OutputsDigest: d,
		Own: d, Closure: d, Streams: d, Outputs: []entry.Output{{Path: "/" + string(rune('a'+task)), Kind: entry.File}}}}
}

// EXEC-051, EXEC-053: settled tasks end upstreams first; those that are left have their words, and only they become ready.
func TestSettle(t *testing.T) {
	p, r := chain(), Rules{Lookup: true, Cap: 2}
	p.Target[3] = true
	now := time.Unix(5, 0)
	l := NewLedger(p, r)
	s, ok := l.Settle(now, []int{0, 1, 2}, hitOf)
	if !ok {
		t.Fatal("nothing is settled")
	}
	if got, want := slices.Collect(s.Order), []int{0, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("they end as %v, want %v", got, want)
	}
	if s.Left(5) != 2 || s.Len() != 3 || s.Place(3) != 0 || s.Place(4) != 1 || !s.Has(2) || s.Has(3) {
		t.Errorf("%+v", s)
	}
	var ready []int
	for _, c := range l.Begin() {
		if b, ok := c.Msg.(messages.BeginTask); ok {
			ready = append(ready, b.Task)
		}
	}
	if !slices.Equal(ready, []int{3, 4}) {
		t.Errorf("%v begin", ready)
	}
	cs := NewTask(p, 3, r, s).Step(now, messages.BeginTask{Task: 3})
	want := []messages.UpstreamDigests{{Task: 1, Own: digest.Digest{2}, Closure: digest.Digest{2}, Streams: digest.Digest{2}}}
	if m, ok := cs[0].Msg.(messages.Resolve); !ok || !reflect.DeepEqual(m.Upstreams, want) {
		t.Errorf("the downstream begins with %+v", cs)
	}
}

// EXEC-051: the outcome of a settled task is, field by field, that of a hit which its machine has carried out.
func TestOutcomeOfSettledIsThatOfHit(t *testing.T) {
	p, r, now := chain(), Rules{Lookup: true, Cap: 2}, time.Unix(5, 0)
	l := NewLedger(p, r)
	if _, ok := l.Settle(now, []int{0, 2}, hitOf); !ok {
		t.Fatal("nothing is settled")
	}
	m := NewTask(p, 0, r, nil)
	h := hitOf(0)
	cs := m.Step(now, messages.BeginTask{})
	ref := cs[0].Msg.(messages.Resolve).Ref
	cs = m.Step(now, messages.OutputsRestored{Ref: ref, Keyed: messages.Keyed{Key: h.Key}, Product: h.Product, Attempt: h.Attempt})
	long := cs[len(cs)-1].Msg.(messages.RecordOutcome).Outcome
	if got, _ := l.Report(); !reflect.DeepEqual(got[0], long) {
		t.Errorf("settled:\n%+v\nin the long way:\n%+v", got[0], long)
	}
}

// EXEC-053, EXEC-054: when all is settled the run has ended; a wish to end it is written down.
func TestSettleAll(t *testing.T) {
	p := chain()
	p.Tasks, p.Up, p.Down = p.Tasks[4:], p.Up[4:], p.Down[4:]
	l := NewLedger(p, Rules{Lookup: true})
	if s, ok := l.Settle(time.Unix(5, 0), []int{0}, hitOf); !ok || s.Left(1) != 0 {
		t.Fatalf("%+v, %v", s, ok)
	}
	if cs := l.Begin(); len(cs) != 1 || cs[0].To != ToRoot || !l.Ended() {
		t.Errorf("%+v", cs)
	}
	l.Step(time.Unix(6, 0), messages.CancelRun{N: 1, Signal: "SIGINT", Number: 2})
	if cancelled, by := l.Cancelled(); !cancelled || by.Number != 2 {
		t.Errorf("%v, %+v", cancelled, by)
	}
}

// EXEC-053: where settled tasks would not be all that becomes of them, none is.
func TestRefusedToSettle(t *testing.T) {
	for name, c := range map[string]struct {
		tasks []int
		rules Rules
		hit   func(int) Hit
	}{
		"an upstream is missing":       {tasks: []int{2}},
		"a weak upstream is missing":   {tasks: []int{0, 1}},
		"one is never cached":          {tasks: []int{0, 1, 2, 3}},
		"one is twice in it":           {tasks: []int{0, 0}},
		"the cache is not to be read":  {tasks: []int{0}, rules: Rules{Run: 1}},
		"two have made the same thing": {tasks: []int{0, 4}, hit: func(i int) Hit { h := hitOf(i); h.Product.Wrote = []string{"/x"}; return h }},
		"one is read by what it needs": {tasks: []int{0, 2}, hit: func(i int) Hit {
			h := hitOf(i)
			if i == 2 {
				h.Product.Reads = []messages.Read{{Reader: 0, Path: "/c"}}
			}
			return h
		}},
	} {
		if c.rules == (Rules{}) {
			c.rules.Lookup = true
		}
		if c.hit == nil {
			c.hit = hitOf
		}
		if s, ok := NewLedger(chain(), c.rules).Settle(time.Unix(5, 0), c.tasks, c.hit); ok {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// EXEC-053: what settled tasks have claimed is claimed, and whoever reads it comes after them.
func TestClaimsOfSettled(t *testing.T) {
	hit := func(i int) Hit { h := hitOf(i); h.Product.Wrote = []string{"/x"}; return h }
	l := NewLedger(chain(), Rules{Lookup: true})
	if _, ok := l.Settle(time.Unix(5, 0), []int{0}, hit); !ok {
		t.Fatal("nothing is settled")
	}
	l.Step(time.Unix(6, 0), messages.ClaimOutputs{Ref: messages.Ref{Task: 4, Attempt: 1}, Wrote: []string{"/x"}})
	if _, vs := l.Report(); len(vs) != 1 || vs[0].Kind != messages.OutputOverlap || vs[0].Tasks[0].Task != "a" {
		t.Errorf("%+v", vs)
	}
}
