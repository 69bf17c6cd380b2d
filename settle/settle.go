// Package settle finds, before a run begins, the tasks that are up to date, and writes down at its end what the next run needs for that.
//
// The long way to a task that is up to date derives its key, looks its entry up and compares the tree with it. All that it looks at is here, with what stands
// for it on the short way; what is not here keeps a task from being settled.
//
//   - Its condition (`if`), a request to make its result anew (State.Remake), whether its outputs say what the tasks are (Defines): asked again.
//   - Place, umask, action, output patterns, environment, files of variables, programs, lock files, all else that keys are made of; the patterns of its inputs:
//     brought together again, but for the inputs, and compared by a digest (key.Deriver.AskAgain).
//   - What upstreams contribute (S-57): theirs is as it was, since they are settled; compared by a digest (Contributed). An upstream over any kind of edge that is
//     not settled may yet run, and write anything.
//   - In the tree (S-53), inputs: each file by its stat, which the stat index proves to be of the bytes that are in the key; links by theirs, and by what they lead to; each
//     folder that was listed, by its stat; each name that was looked up, by that it is still there or still is not.
//   - Folders on the way to any of these, and to outputs: that they are folders, and no links.
//   - Outputs: as inputs; of folders, the permissions.
//   - The product list (S-55): that its log, which is named with the length that it had, has no newer one of the task. So a task that another haz has begun to
//     carry out is not settled, and neither is one that was seen to be half made.
//   - The entry (S-56): by the stat of its folder, which changes when something in it comes or goes, or another one takes its place; where the folder of entries
//     that it lies in is as it was, nothing in that came or went.
//   - What it printed: read from the entry, and verified.
//   - When the entry was used last, for who cleans: touched when the hour is over, as on the long way.
//   - Notes: a task of which there was anything to say is not written down, nor one of whose patterns the disk is asked whether they mean what they say.
//
// S-70: where only looks at outputs do not hold, a hit is foreseen: foreseen.go.
//
// S-54: a stat is written down only when it is older, by the racy window, than the time of the file system when the run began, and on a file system whose times tell
// (State.Tells); of a file, when the stat index vouches for it. Then nothing happened there since before anything was looked at, and an equal stat later
// says that nothing did until then. S-58: all is believed by the program that wrote it alone, on the same mounts, in the same start of the system, and while the
// workspace and its cache lie where they did.
package settle

import (
	"context"
	"strconv"
	"strings"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/standing"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/parallel"
	"github.com/haz-build/haz/workspace"
)

// Options are those of the run.
type Options struct {
	Plan    *graph.Plan
	FS      fsys.FS // of the workspace root
	State   *state.State
	Cache   *cache.Store
	Deriver *key.Deriver
	Hash    digest.Function
	Store   bool                        // write the cache
	OS      string                      // for conditions
	Env     func(string) (string, bool) // likewise
	Root    cache.Root
	Workers int
	Program string // tells this program from others; "": nothing is believed, nor written down
}

// Run is what one run has to do with it.
type Run struct {
	o     Options
	tree  *tree.Tree // of those who write down what was looked at
	world digest.Digest
	table *standing.Table // nil: there is none to be believed
	book  *standing.Book
	begin int64 // of the looks at what is written down of a task, by the clock of the file system; 0: nobody has looked, or it is not known
	anew  bool  // how the folders of entries look is to be written down, be there nothing else
	log   state.ProductLog
}

// revision changes whenever a record means something else.
const revision = 1

// Open reads what earlier runs have written down.
func Open(o Options) *Run {
	if !o.State.TellsStarts() {
		o.Program = ""
	}
	r := &Run{o: o, tree: tree.New(o.FS)}
	if o.Program == "" {
		return r
	}
	w := text.Writer{}
	w.Head("world", revision, o.Hash)
	w.Line("program")
	w.Str(o.Program)
	w.Line("root")
	w.Str(o.Root.Path)
	for _, path := range append(o.Root.Seen, r.tree.OwnPlaces()...) {
		w.Str(path)
	}
	w.Line("umask")
	w.Str(strconv.FormatUint(uint64(o.Deriver.Umask()), 8))
	r.world = hasher.Sum(digest.BLAKE3, w.B)
	return r
}

// wanted reports whether a task may be settled at all. What is not is carried out each time, is left to its own, or hangs on more than is written down.
func wanted(t *workspace.Task) bool {
	if !t.Cache || t.Finalizer || t.Interactive || t.ProjectInput() != nil {
		return false
	}
	for i := range t.Tools {
		if t.Tools[i].Probe != nil {
			return false // a program is asked
		}
	}
	return !asksDisk(t.Inputs) && !asksDisk(t.Outputs)
}

// asksDisk reports whether a pattern among these may mean something else than its text says, so that the disk is asked (guess.Guesser.Characters).
func asksDisk(ds []workspace.PatternDecl) bool {
	for i := range ds {
		if d := &ds[i]; !d.Quiet && !d.Pattern.IsLiteral() && strings.ContainsAny(d.Text, `[\`) {
			return true
		}
	}
	return false
}

// parallel calls do for each number below n, in as many goroutines as the run may have. A file system of the host may panic: then all that is left
// is skipped, and panicked says so.
func (r *Run) parallel(ctx context.Context, n int, do func(i int)) (panicked bool) {
	return r.pieces(ctx, n, func(from, to int) {
		for i := from; i < to; i++ {
			do(i)
		}
	})
}

// pieces is parallel for some numbers at once.
func (r *Run) pieces(ctx context.Context, n int, do func(from, to int)) (panicked bool) {
	defer func() {
		if recover() != nil {
			panicked = true
		}
	}()
	return !parallel.Pieces(n, 64, r.o.Workers, func(from, to int) bool {
		if ctx.Err() != nil {
			return false
		}
		do(from, to)
		return true
	}) || ctx.Err() != nil
}
