package actors

import (
	"os"
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// expected is a foreseen task with an empty output.
type expected struct{ asRecorded }

var expectedKey = digest.Digest{7}

func expectedOutputs() []entry.Output {
	return []entry.Output{{Path: "/p/out", Kind: entry.File, Mode: 0o644, Digest: hasher.Sum(digest.BLAKE3, nil)}}
}

func (expected) Result() (entry.Key, int, messages.Product) {
	return expectedKey, 1, messages.Product{Outputs: expectedOutputs()}
}
func (expected) Inputs() []key.Input { return nil }
func (expected) Lacks() bool         { return true }

// EXEC-065: a foreseen task is one as long as nothing has happened that could have made another one of it: else its key is derived.
func TestForesee(t *testing.T) {
	for name, c := range map[string]struct {
		change func(b *builder, m *messages.Resolve)
		want   bool
	}{
		"nothing":                              {func(b *builder, m *messages.Resolve) {}, true},
		"it was not foreseen":                  {func(b *builder, m *messages.Resolve) { b.r.o.Foreseen = nil }, false},
		"nothing is looked up":                 {func(b *builder, m *messages.Resolve) { m.Look = false }, false},
		"it is asked for the second time":      {func(b *builder, m *messages.Resolve) { b.job(1).resolved = true }, false},
		"something was about to be executed":   {func(b *builder, m *messages.Resolve) { b.ran.Store(true) }, false},
		"its upstream took the long way":       {func(b *builder, m *messages.Resolve) { b.job(0).stood.Store(false) }, false},
		"its result is to be made anew":        {func(b *builder, m *messages.Resolve) { b.r.o.State.AskRemake("p:t", expectedKey, "p:r") }, false},
		"the entry has gone":                   {func(b *builder, m *messages.Resolve) { _ = b.r.o.Cache.Clear(t.Context()) }, false},
		"the entry is of another result":       {func(b *builder, m *messages.Resolve) { b.store(t, "x") }, false},
		"the entry was made anew, and is same": {func(b *builder, m *messages.Resolve) { b.store(t, "") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			disk := memfs.New()
			w := &workspace.Workspace{Tasks: []*workspace.Task{{ID: workspace.TaskID{Project: "p", Task: "u"}}, {ID: workspace.TaskID{Project: "p", Task: "t"}, Index: 1, Cache: true}}}
			up, down := [][]graph.Edge{nil, {{Task: 0, Kind: graph.Soft}}}, [][]graph.Edge{{{Task: 1, Kind: graph.Soft}}, nil}
			r := &running{o: Options{FS: disk, State: state.Open(disk, digest.BLAKE3), Cache: cache.Open(disk, cache.Options{Hash: digest.BLAKE3}), Store: true, Workers: 1,
				Foreseen: []Foreseen{{1, expected{}}}, Plan: &graph.Plan{G: &graph.Graph{W: w, Up: up, Down: down}, Tasks: w.Tasks, Up: up, Down: down}}}
			b := newBuilder(r)
			r.builder = b
			b.store(t, "")
			b.job(0).stood.Store(true)
			m := messages.Resolve{Ref: messages.Ref{Task: 1}, Look: true}
			c.change(b, &m)
			_, got := b.foresee(t.Context(), b.job(1), m)
			if j := b.job(1); got != c.want || got != (j.foreseen != nil) || got && (j.derived.Key != expectedKey || j.manifest.Key != expectedKey) {
				t.Errorf("foreseen: %v, want %v", got, c.want)
			}
		})
	}
}

// store puts an entry with one output in the place of what there is under the key.
func (b *builder) store(t *testing.T, bytes string) {
	t.Helper()
	if err := b.r.o.FS.MkdirAll("/p", 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := b.r.o.FS.OpenFile("/p/out", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err == nil {
		_, err = f.WriteString(bytes)
	}
	if err == nil {
		err = f.Close()
	}
	outs := expectedOutputs()
	outs[0].Size, outs[0].Digest = int64(len(bytes)), hasher.Sum(digest.BLAKE3, []byte(bytes))
	none := cache.Stream{Digest: hasher.Sum(digest.BLAKE3, nil)}
	if err == nil {
		var staged *cache.Staged
		if staged, err = b.r.o.Cache.Stage(t.Context(), cache.StoreRequest{Key: expectedKey, Outputs: outs, Stdout: none, Stderr: none, Task: "p:t", Replace: true}); err == nil {
			_, err = staged.Place()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
