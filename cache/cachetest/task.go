package cachetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
)

// Epoch is the time that stores made by Open begin at.
var Epoch = time.Unix(1_700_000_000, 0)

// A Task is a result: what a task declares as outputs, and what it has made.
type Task struct {
	Name           string
	Patterns       []string
	Outputs        Tree
	Stdout, Stderr string
	// Inputs are paths whose state when Target is called counts as that at key time.
	Inputs []string
	// Others are paths that other tasks' product lists list.
	Others []string
}

// Key is a key made from the task's name and any more words.
func (t *Task) Key(words ...string) entry.Key {
	return hasher.Sum(digest.BLAKE3, fmt.Append(nil, t.Name, words))
}

// Open opens the cache with a fixed clock and seeded names.
func Open(ws fsys.FS, o cache.Options) *cache.Store {
	if o.Now == nil {
		o.Now = func() time.Time { return Epoch }
	}
	if o.Rand == nil {
		o.Rand = rand.Uint64
	}
	return cache.Open(ws, o)
}

// Recorded is the list of outputs as an entry records it.
func (t *Task) Recorded(fn digest.Function) []entry.Output {
	var outs []entry.Output
	for _, path := range t.Outputs.Paths() {
		item := t.Outputs[path]
		o := entry.Output{Path: path, Mode: item.Mode}
		switch item.Kind {
		case fsys.File:
			o.Kind, o.Size, o.Digest = entry.File, int64(len(item.Text)), hasher.Sum(fn, []byte(item.Text))
		case fsys.Link:
			o.Kind, o.Target = entry.Link, item.Text
		case fsys.Dir:
			o.Kind = entry.Dir
		}
		outs = append(outs, o)
	}
	return outs
}

// Request asks to store the result under k. The outputs must lie in the tree.
func (t *Task) Request(fn digest.Function, k entry.Key) cache.StoreRequest {
	stream := func(text string) cache.Stream {
		return cache.Stream{Len: int64(len(text)), Digest: hasher.Sum(fn, []byte(text)), Bytes: []byte(text)}
	}
	return cache.StoreRequest{Key: k, Outputs: t.Recorded(fn), Stdout: stream(t.Stdout), Stderr: stream(t.Stderr),
		Task: t.Name, CreatedAt: Epoch.Unix(), DurationMS: 7}
}

// Store stages and publishes.
func Store(ctx context.Context, s *cache.Store, r cache.StoreRequest) (alreadyThere bool, err error) {
	staged, err := s.Stage(ctx, r)
	if err != nil {
		return false, err
	}
	return staged.Publish()
}

// Target is what a restore of the task has to know, with the product list that st has of it.
func (t *Task) Target(ws fsys.FS, st *state.State) cache.Target {
	type input struct {
		info fsys.Info
		d    digest.Digest
	}
	inputs := map[string]input{}
	for _, path := range t.Inputs {
		info, err := ws.Lstat(path)
		if err != nil {
			continue
		}
		b, _, _ := ws.ReadFile(path, 0)
		inputs[path] = input{info, hasher.Sum(digest.BLAKE3, b)}
	}
	others := map[string]bool{}
	for _, path := range t.Others {
		others[path] = true
	}
	return cache.Target{
		Task: t.Name, Patterns: Patterns(t.Patterns...), Products: st.Products(t.Name),
		Input: func(path string) (fsys.Info, digest.Digest, bool) {
			in, ok := inputs[path]
			return in.info, in.d, ok
		},
		Others: func(path string) bool { return others[path] },
	}
}

// Patterns parses workspace-absolute patterns; a wrong one is a defect of the test.
func Patterns(texts ...string) []pattern.Pattern {
	patterns := make([]pattern.Pattern, len(texts))
	for i, text := range texts {
		p, err := pattern.Parse(text)
		if err != nil {
			panic(err)
		}
		patterns[i] = p.Anchor("/")
	}
	return patterns
}

// Outcome is what came of a hit, or of none.
type Outcome struct {
	Manifest *cache.Manifest
	Miss     *entry.Miss // no hit
	Err      error       // of Compare or Restore
	Nothing  bool        // all was right already
	Restored *cache.Restored
}

// SpoolDir is where Hit spools long streams.
const SpoolDir = "/.haz/state/spool-test"

// Hit looks k up and restores what it finds.
func Hit(ctx context.Context, s *cache.Store, k entry.Key, target cache.Target) Outcome {
	var o Outcome
	if o.Manifest, o.Miss = s.Lookup(k); o.Miss != nil {
		return o
	}
	p, err := s.Compare(ctx, o.Manifest, target)
	if err != nil {
		o.Err = err
		return o
	}
	o.Nothing = p.Nothing
	o.Restored, o.Err = s.Restore(ctx, p, SpoolDir)
	return o
}

// StreamText reads a stream that a restore has returned.
func StreamText(ws fsys.FS, r cache.Stream) (string, error) {
	if r.Path == "" {
		return string(r.Bytes), nil
	}
	b, _, err := ws.ReadFile(r.Path, 0)
	return string(b), err
}
