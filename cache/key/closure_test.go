package key

import (
	"fmt"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/workspace"
)

// node is a task of a chain whose keys are derived without a disk.
type node struct {
	name    string
	outputs string // what it makes; "" for a task that declares no outputs
	argv    string
	ups     []Upstream
}

// contribute derives the key of the node and returns it with what the node contributes downstream.
func (n node) contribute(t testing.TB) (digest.Digest, Upstream) {
	d := NewDeriver(Options{Hash: digest.BLAKE3})
	task := &workspace.Task{ID: workspace.TaskID{Project: "p", Task: n.name}, Kind: workspace.Command, Argv: []string{n.argv}}
	made := digest.Digest{}
	if n.outputs != "" {
		task.Outputs = patterns(t, "/p", n.name)
		made = hasher.Sum(digest.BLAKE3, []byte(n.outputs))
	}
	at := &Derived{Upstreams: n.ups}
	at.Key = d.components(task, at).key()
	return at.Key, d.Contribution(task, at, made)
}

// S-25: what a reader's key sees of the tasks before it: first ─▶ middle ─▶ reader.
func TestClosure(t *testing.T) {
	reader := func(first, middle node, narrow bool) digest.Digest {
		_, up := first.contribute(t)
		middle.ups = []Upstream{up}
		_, up = middle.contribute(t)
		up.Narrow = narrow
		key, _ := node{name: "reader", argv: "cat", ups: []Upstream{up}}.contribute(t)
		return key
	}
	first, middle := node{name: "first", outputs: "one", argv: "gen"}, node{name: "middle", outputs: "same", argv: "mid"}
	group := node{name: "middle", argv: "true"}
	edit := func(n node, change func(n *node)) node {
		change(&n)
		return n
	}
	made := func(text string) func(n *node) { return func(n *node) { n.outputs = text } }
	command := func(n *node) { n.argv = "other" }
	for _, c := range []struct {
		name                      string
		first, middle, was1, was2 node
		narrow, equal             bool
	}{
		{"nothing is new", first, middle, first, middle, false, true},
		{"outputs", first, edit(middle, made("new")), first, middle, false, false},
		{"outputs behind equal ones", edit(first, made("two")), middle, first, middle, false, false},
		{"outputs behind a group", edit(first, made("two")), group, first, group, false, false},
		{"another command, equal outputs", first, edit(middle, command), first, middle, false, true},
		{"another command behind, equal outputs", edit(first, command), middle, first, middle, false, true},
		{"another group", first, edit(group, command), first, group, false, false},
		{"another check behind", node{name: "first", argv: "lint"}, middle, node{name: "first", argv: "vet"}, middle, false, false},
		{"outputs declared now", first, middle, first, group, false, false},
		{"narrow: outputs", first, edit(middle, made("new")), first, middle, true, false},
		{"narrow: outputs behind", edit(first, made("two")), middle, first, middle, true, true},
		{"narrow: another group", first, edit(group, command), first, group, true, true},
		{"narrow: outputs behind a group", edit(first, made("two")), group, first, group, true, true},
	} {
		if got := reader(c.first, c.middle, c.narrow) == reader(c.was1, c.was2, c.narrow); got != c.equal {
			t.Errorf("%s: keys equal: %v, want %v", c.name, got, c.equal)
		}
	}
}

// A change shows through any number of tasks that make the same as before, and of groups.
func TestClosureGoesAllTheWay(t *testing.T) {
	last := func(text string) digest.Digest {
		_, up := node{name: "first", outputs: text, argv: "gen"}.contribute(t)
		for i := range 6 {
			n := node{name: fmt.Sprintf("n%d", i), argv: "n", ups: []Upstream{up}}
			if i%3 > 0 { // by the key of a task without outputs a change would come through as well
				n.outputs = "same"
			}
			_, up = n.contribute(t)
		}
		key, _ := node{name: "last", argv: "cat", ups: []Upstream{up}}.contribute(t)
		return key
	}
	if last("one") == last("two") {
		t.Error("a change is hidden")
	}
}

// A task that narrows a dep narrows its own key, not those of its downstreams.
func TestNarrowEndsWithItsEdge(t *testing.T) {
	last := func(text string) digest.Digest {
		_, first := node{name: "first", outputs: text, argv: "gen"}.contribute(t)
		_, second := node{name: "second", outputs: "same", argv: "mid", ups: []Upstream{first}}.contribute(t)
		second.Narrow = true
		_, third := node{name: "third", outputs: "same", argv: "third", ups: []Upstream{second}}.contribute(t)
		key, _ := node{name: "last", argv: "cat", ups: []Upstream{third}}.contribute(t)
		return key
	}
	if last("one") == last("two") {
		t.Error("a change is hidden from a task that did not ask for it")
	}
}

// What an upstream prints is in no key but of a task that asks for it, and then beside whatever else counts of it (haz::cfg::043).
func TestStreamsWhereAskedFor(t *testing.T) {
	d := NewDeriver(Options{})
	reader := func(printed, narrow bool, stdout, stderr byte) digest.Digest {
		_, up := node{name: "gen", outputs: "same", argv: "gen"}.contribute(t)
		up.Printed, up.Narrow, up.Streams = printed, narrow, d.Streams(digest.Digest{stdout}, digest.Digest{stderr})
		key, _ := node{name: "reader", argv: "cat", ups: []Upstream{up}}.contribute(t)
		return key
	}
	for _, narrow := range []bool{false, true} {
		if reader(false, narrow, 1, 2) != reader(false, narrow, 3, 4) {
			t.Error("what nobody asked for is in the key")
		}
		base := reader(true, narrow, 1, 2)
		for name, other := range map[string]digest.Digest{"stdout": reader(true, narrow, 3, 2), "stderr": reader(true, narrow, 1, 3), "which is which": reader(true, narrow, 2, 1),
			"that it is asked for": reader(false, narrow, 1, 2), "the other closure": reader(true, !narrow, 1, 2)} {
			if other == base {
				t.Errorf("narrow %v: %s is not in the key", narrow, name)
			}
		}
	}
	// A task further down has not asked for it: its closure has what was made, and nothing of what was printed.
	last := func(stdout byte) digest.Digest {
		_, first := node{name: "first", outputs: "same", argv: "gen"}.contribute(t)
		first.Printed, first.Streams = true, digest.Digest{stdout}
		_, second := node{name: "second", outputs: "same", argv: "mid", ups: []Upstream{first}}.contribute(t)
		key, _ := node{name: "last", argv: "cat", ups: []Upstream{second}}.contribute(t)
		return key
	}
	if last(1) != last(2) {
		t.Error("what was printed goes further than its edge")
	}
}

// Diamonds upon diamonds: the number of ways doubles with each, the work does not.
func TestClosureIsLinear(t *testing.T) {
	_, top := node{name: "top", outputs: "x", argv: "gen"}.contribute(t)
	for i := range 2000 {
		left, right := node{name: fmt.Sprintf("l%d", i), outputs: "l", argv: "l", ups: []Upstream{top}}, node{name: fmt.Sprintf("r%d", i), argv: "r", ups: []Upstream{top}}
		_, l := left.contribute(t)
		_, r := right.contribute(t)
		_, top = node{name: fmt.Sprintf("t%d", i), outputs: "t", argv: "t", ups: []Upstream{l, r}}.contribute(t)
	}
	if top.Closure.IsZero() {
		t.Error("no closure")
	}
}
