package settle

import (
	"context"
	"slices"

	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/standing"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/workspace"
)

// streamMost is how long a stream may be that is read before the run begins, in bytes: one that is held in memory on the long way, too.
const streamMost = 64 << 10

// Begin says that from now on tasks are carried out. Call it once, after Settled.
func (r *Run) Begin() {
	if r.book == nil {
		return
	}
	if r.begin == 0 {
		r.begin = r.o.State.Stamp() // not where all is up to date: a run with nothing to do writes nothing
	}
	if r.table == nil {
		r.log, _ = r.o.State.ProductLog(nil)
	}
}

// Note takes down what a task stood on that was found up to date, if all of it is old enough. Several goroutines may call it.
func (r *Run) Note(u actors.UpToDate) {
	if r.begin == 0 || !wanted(u.Task) || u.Manifest.Key != u.Derived.Key || u.Manifest.StdoutLen > streamMost || u.Manifest.StderrLen > streamMost {
		return
	}
	defer func() { _ = recover() }() // whatever a file system of the host does: the task is up to date all the same
	if u.Foreseen != nil {
		r.again(u.Foreseen.(*hit), u)
		return
	}
	n := &note{Run: r, u: u, rec: standing.Record{Task: u.Task.ID.String(), Key: u.Derived.Key, Closure: u.Product.Closure, Product: u.Product.OutputsDigest,
		Stdout: u.Product.StdoutDigest, Stderr: u.Product.StderrDigest, StdoutLen: u.Product.StdoutLen, StderrLen: u.Product.StderrLen,
		Order: string(u.Manifest.Order), Attempt: max(1, u.Manifest.Attempt)}}
	if !n.outputs() || !n.inputs() || !n.entry() || !n.patternsMatch() {
		return
	}
	n.rec.Asked, n.rec.Upstreams = r.o.Deriver.Asked(u.Task, u.Derived), r.o.Deriver.Contributed(u.Derived.Upstreams)
	r.book.Add(n.rec)
}

// note is one record being made.
type note struct {
	*Run
	u   actors.UpToDate
	rec standing.Record
}

func (n *note) add(path string, kind standing.Kind, info fsys.Info) {
	n.rec.Looks = append(n.rec.Looks, standing.Look{Path: path, Kind: kind, Info: info})
}

// thing adds a look at what lies at a path, which is no file with bytes that count.
func (n *note) thing(path string, info fsys.Info) bool {
	n.add(path, standing.Thing, info)
	return n.o.State.Tells(path, info, n.begin)
}

// outputs adds those of the entry, which the product list has, too, as they lie there: after a restore it may have other stats (S-60).
func (n *note) outputs() bool {
	list, place := n.o.State.ProductsPlace(n.rec.Task)
	outs := n.u.Manifest.Outputs
	if list.Key != n.rec.Key || list.Running || list.Unfinished || len(list.Files) != len(outs) {
		return false
	}
	n.rec.List = place
	for i := range outs {
		o, f := &outs[i], &list.Files[i]
		info, err := n.o.FS.Lstat(o.Path)
		if err != nil || f.Path != o.Path || f.Info.Kind != info.Kind || !n.output(o, f, info) {
			return false
		}
		n.rec.Outputs = append(n.rec.Outputs, standing.Output{Output: *o, Found: f.Found, Info: info})
	}
	return true
}

// output adds one of them.
func (n *note) output(o *entry.Output, f *state.Produced, info fsys.Info) bool {
	switch o.Kind {
	case entry.File:
		n.add(o.Path, standing.Thing, info)
		return f.HasDigest && f.Digest == o.Digest && info.Perm == o.Mode && info.Size == o.Size && n.o.State.Proven(o.Path, info, o.Digest)
	case entry.Link:
		return n.thing(o.Path, info) && info.Kind == fsys.Link && f.LinkText == o.Target
	case entry.Dir:
		n.add(o.Path, standing.Mode, info)
		return info.Kind == fsys.Dir && info.Perm == o.Mode
	}
	return false
}

// inputs walks once more, and adds what that looks at. It has to find what the key was made of.
func (n *note) inputs() bool {
	var seen tree.Seen
	patterns, exclude := n.u.Task.Files()
	matches, _, err := n.tree.InputsSeen(context.Background(), patterns, exclude, &seen)
	if err != nil || seen.Odd || !key.FoundAgain(matches, n.u.Derived) {
		return false
	}
	for i := range n.u.Derived.Inputs {
		if !n.input(&n.u.Derived.Inputs[i]) {
			return false
		}
	}
	for _, dir := range seen.Listed {
		info, err := n.o.FS.Lstat(dir)
		if err != nil || info.Kind != fsys.Dir || !n.thing(dir, info) {
			return false
		}
	}
	for _, dir := range seen.Passed {
		n.add(dir, standing.Way, fsys.Info{})
	}
	for _, path := range seen.Looked {
		if _, _, isInput := n.u.Derived.Input(path); !isInput && !n.looked(path) {
			return false
		}
	}
	return true
}

func (n *note) input(in *key.Input) bool {
	if !in.Sure {
		return false
	}
	n.rec.Inputs = append(n.rec.Inputs, in.Path)
	switch {
	case in.Kind == key.FileInput:
		n.add(in.Path, standing.Thing, in.Info)
		return n.o.State.Proven(in.Path, in.Info, in.Digest)
	case in.Kind == key.DirInput:
		return n.thing(in.Path, in.Info)
	case in.Target == key.TargetFile:
		n.add(in.Path, standing.Target, in.TargetInfo)
		return n.thing(in.Path, in.Info) && n.o.State.Proven(in.Path, in.TargetInfo, in.Digest)
	case in.Target == key.TargetAbsent:
		n.add(in.Path, standing.Nowhere, fsys.Info{})
		return n.thing(in.Path, in.Info)
	}
	return false
}

// looked adds a name that was looked up, and is no input.
func (n *note) looked(path string) bool {
	info, err := n.o.FS.Lstat(path)
	switch {
	case fsys.Absent(err):
		n.add(path, standing.Absent, fsys.Info{})
		return true
	case err != nil:
		return false
	case info.Kind == fsys.Dir:
		n.add(path, standing.Way, fsys.Info{})
		return true
	case info.Kind == fsys.Link:
		return false
	}
	return n.thing(path, info)
}

// entry adds where the entry lies.
func (n *note) entry() bool {
	dir, _ := cache.PlacesOf(n.rec.Key)
	info, err := n.o.FS.Lstat(dir)
	if err != nil || info.Kind != fsys.Dir || !n.o.State.Tells(dir, info, n.begin) {
		return false
	}
	n.rec.Entry, n.rec.Touched = info, n.o.Cache.LastTouch(n.u.Manifest)
	return true
}

// patternsMatch reports whether there is nothing to say of the patterns at the end of the run: each glob selects something.
func (n *note) patternsMatch() bool {
	selects := func(d *workspace.PatternDecl, outputs bool) bool {
		match := d.Pattern.Match
		return d.Quiet || d.Pattern.IsLiteral() ||
			slices.ContainsFunc(n.u.Derived.Inputs, func(in key.Input) bool { return match(in.Path) }) ||
			outputs && slices.ContainsFunc(n.u.Manifest.Outputs, func(o entry.Output) bool { return match(o.Path) })
	}
	for i := range n.u.Task.Inputs {
		if !selects(&n.u.Task.Inputs[i], false) {
			return false
		}
	}
	for i := range n.u.Task.Outputs {
		if !selects(&n.u.Task.Outputs[i], true) {
			return false
		}
	}
	return true
}

// manyLooks is how many entries that were looked at one by one are worth writing down anew how their folders look.
const manyLooks = 64

// Write writes down what was noted. What was known of other tasks stays, as far as it still counts. Nothing may be noted any more.
func (r *Run) Write() {
	if r.book == nil || !r.book.News() && !r.anew {
		return
	}
	defer func() { _ = recover() }() // likewise
	tasks := r.book.Tasks()
	log, places := r.o.State.ProductLog(tasks)
	if log.Inode != r.log.Inode || log.Dev != r.log.Dev {
		return
	}
	head := standing.Head{World: r.world, Log: log, Shards: r.shards()}
	list := make(map[string]state.Place, len(tasks))
	for i, task := range tasks {
		list[task] = places[i]
	}
	payload, devices, ok := r.book.Encode(&head, func(task string, place state.Place) bool { return list[task] == place && place.Size > 0 })
	if ok {
		r.o.State.WriteStanding(payload, devices)
	}
}

// shards are how the folders of entries look: those in which nothing has changed since the looks of this run began, or, where it had none, as they were
// written down before.
func (r *Run) shards() (list [standing.Shards]fsys.Info) {
	if r.begin == 0 {
		if r.table != nil {
			list = r.table.Head.Shards
		}
		return list
	}
	for i := range list {
		var first entry.Key
		first[0] = byte(i)
		_, shard := cache.PlacesOf(first)
		if info, err := r.o.FS.Lstat(shard); err == nil && info.Kind == fsys.Dir && r.o.State.Tells(shard, info, r.begin) {
			list[i] = info
		}
	}
	return list
}
