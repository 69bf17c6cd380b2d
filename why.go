package haz

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/packages"
	"github.com/haz-build/haz/cache/tools"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// Explanation is what Why finds out about a task (chapter 3, 6).
type Explanation struct {
	Task     *Task // with the arguments asked about
	Inputs   []ExplainedInput
	Locks    []ExplainedLock // what the key has of lock files, by name
	Tools    []ExplainedTool // the programs that the key has by their content, by name
	Deps     []TaskID        // direct, resolved, canonical order
	WeakDeps []TaskID
	After    []TaskID // its finalizers
	Final    []TaskID // tasks whose finalizer it is
	// Relations has those of the four lists, in their order, with the references that make them.
	Relations []Relation

	// Passed and PassedByDefault name the variables of the host that the task sees and that are in no key: those that `pass` means,
	// and the others. Sorted.
	Passed, PassedByDefault []string

	Key string // 64 digits; "" when it is not known
	// Preimage, of WhyOptions.Key, is the text that the key is the digest of; its last line is the key.
	Preimage string
	Lookup   string // "hit", "miss: no entry" …; "unknown" when the key is not known
	Detail   string // of a miss: what exactly was wrong
	Stored   *Stored

	// OtherRun is the last run that derived a key of the task, if it gave it other arguments than those asked about: what is said here is
	// not said of that one.
	OtherRun *key.Recorded

	// Blocked says why the key is not known: an upstream has no usable entry.
	Blocked *Blocked
	// KeyError says that a key cannot be derived at all.
	KeyError error

	// Of WhyOptions.Diff: what is different from the last key that a run derived.
	KeyChange
	// Upstreams are the hard upstreams, near and far, whose own key changed by more than what their upstreams made: where a
	// change that reaches the task comes from.
	Upstreams []UpstreamChange
}

// KeyChange is what is different in a key since a run derived it.
type KeyChange struct {
	Diffs []key.Difference
	Last  *key.Recorded // nil: none is kept
}

// UpstreamChange is the change of an upstream's key.
type UpstreamChange struct {
	Task TaskID
	KeyChange
}

// ExplainedInput is an input that was found on disk.
type ExplainedInput struct {
	Path      string
	Digest    string // of a file's content; "" otherwise
	Producers []TaskID
}

// ExplainedLock is what a key has of a lock file in place of its bytes.
type ExplainedLock struct {
	File     string // workspace-absolute
	Packages int    // that the project reaches, of which Digest is
	Whole    bool   // it does not tell these, and Digest is of its bytes
	Digest   string // 64 digits; "" when there is none
}

// ExplainedTool is a program that the task starts.
type ExplainedTool struct {
	Name   string // as it is written
	Known  string // what the key has of it: "absent", a digest, or "unreadable" and a digest
	Digest string // 64 digits; "" when it is absent
	File   string // on the host; "" when it is absent
}

// Stored says who made the entry that was found, and when.
type Stored struct {
	Task    string
	Unix    int64
	Attempt int // on which; above 1 the task was flaky
}

// Blocked is the upstream that hides the key.
type Blocked struct {
	Task     TaskID
	Lookup   string
	Uncached bool  // it never has an entry
	KeyError error // its own key cannot be derived
}

// WhyOptions configures Why.
type WhyOptions struct {
	Diff, Key bool
	Arguments []string // those of a run; see Workspace.WithArguments
}

// Why explains the task at a position of w.W.Tasks. It runs nothing and changes nothing. The error is that of ctx, or says that there is
// no such task, or that it would not heed the arguments.
func (w *Workspace) Why(ctx context.Context, task int, o WhyOptions) (*Explanation, error) {
	if err := w.ready(ctx); err != nil {
		return nil, err
	}
	if err := w.targets([]int{task}); err != nil {
		return nil, err
	}
	if err := w.unmet(w.G.Plan([]int{task})); err != nil {
		return nil, err
	}
	t := w.W.Tasks[task]
	if d := deaf(t); d != nil && len(o.Arguments) > 0 {
		return nil, diag.List{*d}.Err()
	}
	t = t.WithArguments(o.Arguments)
	p := w.newPredictor()
	defer p.close()
	p.plan = map[int]*workspace.Task{task: t}
	e := &Explanation{Task: t, Lookup: "unknown"}
	e.relate(w.Relations(task))
	r := p.look(ctx, task)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.Passed, e.PassedByDefault = p.deriver.Passed(t)
	e.Lookup = r.lookup()
	if r.miss != nil {
		e.Detail = r.miss.Detail
	}
	e.Stored = r.stored
	derived := r.derived
	switch {
	case r.leftOut && r.err == nil: // it has no key: nothing of it is looked at
	case r.blocked >= 0:
		u := p.look(ctx, r.blocked)
		b := w.W.Tasks[r.blocked]
		e.Blocked = &Blocked{Task: b.ID, Lookup: u.lookup(), Uncached: !b.Cache, KeyError: u.err}
		if !t.Cache {
			e.Lookup = "miss: " + entry.Uncached.String()
		}
		// The inputs can be told all the same; the key made on the way means nothing.
		var err error
		if derived, err = p.deriver.Derive(ctx, t, nil); err != nil {
			e.KeyError, derived = err, nil
		}
	case r.err != nil:
		e.KeyError = r.err
	default:
		e.Key = derived.Key.Hex()
		if o.Key {
			e.Preimage = string(p.deriver.Preimage(t, derived))
		}
	}
	if err := p.inputs(ctx, e, derived); err != nil {
		return nil, err
	}
	e.OtherRun = p.otherRun(t)
	if o.Diff {
		e.KeyChange = p.diff(t, r.derived)
		e.Upstreams = p.upstreamChanges(task)
	}
	return e, ctx.Err()
}

// relate fills the lists of what the task is related to.
func (e *Explanation) relate(list []Relation) {
	e.Relations = list
	lists := map[string]*[]TaskID{"deps": &e.Deps, "weakDeps": &e.WeakDeps, "after": &e.After, "finalizer of": &e.Final}
	for _, r := range list {
		*lists[r.Key] = append(*lists[r.Key], r.Task)
	}
}

// Found is Lookup for people: where an entry serves another workspace alone, it says which, and why.
func (e *Explanation) Found() string {
	if e.Lookup == "miss: "+entry.OtherRoot.String() {
		return e.Lookup + " (" + e.Detail + ")"
	}
	return e.Lookup
}

// inputs lists what was found on disk. Where there is no key because one input is missing, the others are listed.
func (p *predictor) inputs(ctx context.Context, e *Explanation, derived *key.Derived) error {
	if derived != nil {
		for _, in := range derived.Inputs {
			x := ExplainedInput{Path: in.Path, Producers: p.w.producers(in.Path)}
			if !in.Digest.IsZero() {
				x.Digest = in.Digest.Hex()
			}
			e.Inputs = append(e.Inputs, x)
		}
		for _, l := range derived.Locks {
			x := ExplainedLock{File: l.Lock.File, Packages: l.Count, Whole: l.How == packages.Whole}
			if l.How != packages.Absent {
				x.Digest = l.Digest.Hex()
			}
			e.Locks = append(e.Locks, x)
		}
		for i := range derived.Tools {
			tool := &derived.Tools[i]
			x := ExplainedTool{Name: tool.Name, Known: key.ToolState(tool), File: tool.File}
			if tool.How != tools.Absent {
				x.Digest = tool.Digest.Hex()
			}
			e.Tools = append(e.Tools, x)
		}
		return nil
	}
	patterns, exclude := e.Task.Files()
	found, _, err := p.tree.Inputs(ctx, patterns, exclude)
	if err != nil {
		return ctx.Err() // the walk itself is what the key error is about
	}
	for _, m := range found {
		e.Inputs = append(e.Inputs, ExplainedInput{Path: m.Path, Producers: p.w.producers(m.Path)})
	}
	return nil
}

func (w *Workspace) producers(path string) []TaskID {
	var ids []TaskID
	for _, i := range w.G.Writers(path) {
		ids = append(ids, w.W.Tasks[i].ID)
	}
	return ids
}

// diff compares with the record of the last key (chapter 2, 8.3).
func (p *predictor) diff(t *Task, derived *key.Derived) KeyChange {
	if derived == nil {
		return KeyChange{}
	}
	record, secret, ok := p.lastKey(t)
	if !ok {
		return KeyChange{}
	}
	if diffs, made, ok := p.deriver.Diff(record, t, derived, secret); ok {
		return KeyChange{diffs, &made}
	}
	// With another hash function every digest is another one: that is the difference, and no other can be told.
	for _, was := range []digest.Function{digest.BLAKE3, digest.SHA256} {
		if was == p.fn {
			continue
		}
		if _, made, ok := p.w.newDeriver(p.tree, p.state, was, nil).Diff(record, t, derived, secret); ok {
			return KeyChange{[]key.Difference{{Sign: '~', Kind: "hash", Name: "function", Detail: was.String() + " -> " + p.fn.String()}}, &made}
		}
	}
	return KeyChange{}
}

// lastKey is the record of the last key of a task, and the secret that reads it.
func (p *predictor) lastKey(t *Task) (record, secret []byte, ok bool) {
	if record, ok = p.state.LastKey(t.ID.String()); ok {
		secret, ok = p.state.Secret(false)
	}
	return record, secret, ok
}

// otherRun is the last run that derived a key of a task, if it gave it other arguments.
func (p *predictor) otherRun(t *Task) *key.Recorded {
	record, secret, ok := p.lastKey(t)
	if !ok {
		return nil
	}
	if made, ok := key.LastRun(record, secret); ok && !slices.Equal(made.Arguments, t.Arguments) {
		return &made
	}
	return nil
}

// upstreamChanges follows a task's upstreams, which were looked at before, to those that changed by themselves.
func (p *predictor) upstreamChanges(task int) []UpstreamChange {
	var out []UpstreamChange
	for _, i := range p.w.G.HardClosure([]int{task}, false) {
		t := p.w.W.Tasks[i]
		c := p.diff(t, p.known[i].derived)
		if slices.ContainsFunc(c.Diffs, func(d key.Difference) bool { return d.Kind != "upstream" }) {
			out = append(out, UpstreamChange{t.ID, c})
		}
	}
	return out
}

// Resolve is the tasks that a reference selects, as somebody typed it in the directory that the workspace was opened from. The error is
// *workspace.SelectError; an empty selection is always one.
func (w *Workspace) Resolve(r Reference) ([]*Task, error) { return w.W.ResolveTyped(r, w.Bearing()) }

// ResolveOne resolves a reference that must select exactly one task.
func (w *Workspace) ResolveOne(r Reference) (*Task, error) {
	ts, err := w.Resolve(r)
	if err != nil {
		return nil, err
	}
	if len(ts) != 1 {
		return nil, &AmbiguousError{Reference: r.String(), Tasks: ts}
	}
	return ts[0], nil
}

// AmbiguousError says that a reference selects several tasks where one is wanted.
type AmbiguousError struct {
	Reference string
	Tasks     []*Task
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%s resolves to %d tasks", e.Reference, len(e.Tasks))
}

// IsKeyError reports whether an error says that an input keeps a key from being derived, and returns its hint.
func IsKeyError(err error) (hint string, ok bool) {
	var k *key.Error
	if errors.As(err, &k) {
		return k.Hint, true
	}
	return "", false
}
