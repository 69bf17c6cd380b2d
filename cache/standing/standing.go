// Package standing is what tasks stood on when they were last found up to date, in a form that the next run checks with one look at each thing: which
// names lie in the tree, in which state, and what the answer was.
//
// A *look* is one thing in the tree, however many tasks depend on it. Each lies in a folder that is a look as well, and that must be a folder
// and no link, so that nothing is taken for what it was that is reached on another way. A *record* is of one task: its looks, digests of all else
// that it was judged by, and the result. What is asked of the disk, and when, is for package settle; here is how it is kept.
//
// The file is used where it lies: reading one of ten thousand tasks takes no more than a look at each row. It comes from the disk, where anybody may have
// put it, so every number in it is looked at before it is believed (Read, Table.Result).
package standing

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
)

// Kind is what a look asks.
type Kind uint8

const (
	Way     Kind = iota // a folder, and no link: something lies in it that counts
	Thing               // what lies there itself looks as it did. Of a folder this says that it has the names that it had
	Target              // what it leads to looks as it did
	Mode                // a folder, with the permissions that it had: an output
	Absent              // nothing lies there
	Nowhere             // it leads nowhere
	kinds
)

// Look is one thing that was looked at.
type Look struct {
	Path string // workspace-absolute
	Kind Kind
	Info fsys.Info // of Thing, Target and Mode
}

// Holds reports whether what is seen now, or the error of seeing it, is what a look says.
func (l *Look) Holds(now fsys.Info, err error) bool {
	switch l.Kind {
	case Way:
		return err == nil && now.Kind == fsys.Dir
	case Thing, Target:
		return err == nil && now.Same(l.Info) && now.Perm == l.Info.Perm
	case Mode:
		return err == nil && now.Kind == fsys.Dir && now.Perm == l.Info.Perm
	case Absent, Nowhere:
		return fsys.Absent(err)
	}
	return false
}

// Follows reports whether the look is at what a link leads to.
func (k Kind) Follows() bool { return k == Target || k == Nowhere }

// Record is what one task stood on.
type Record struct {
	Task string // its id
	Key  digest.Digest
	// Asked is the digest of all that the key is made of but inputs and upstreams, and of what is asked of the disk for the inputs. Upstreams is that of
	// what the hard upstreams contribute.
	Asked, Upstreams digest.Digest
	// Closure is what the task itself contributes, beside its key and Product, the digest of its outputs.
	Closure, Product digest.Digest

	Looks  []Look
	Inputs []string // those of the looks that are inputs, sorted

	Outputs              []Output
	Stdout, Stderr       digest.Digest
	StdoutLen, StderrLen int64
	Order                string // in which they were printed
	Attempt              int

	Touched int64       // unix seconds of the last witness that the entry was used
	List    state.Place // of the product list
	Entry   fsys.Info   // of the folder of the entry
}

// Output is an output, as the entry has it and as the product list does.
type Output struct {
	entry.Output
	Found bool      // as in state.Produced
	Info  fsys.Info // that of its look
}

// Head is what all records of a file have in common.
type Head struct {
	World  digest.Digest // of what the run was that wrote it: another haz, or place of the workspace, has nothing to do with it
	Log    state.ProductLog
	Fresh  uint32            // looks there were when all were made anew
	Shards [Shards]fsys.Info // of the folders of the cache, by the first byte of a key; zero where it says nothing
}

// Shards is how many folders of entries a cache has.
const Shards = 256

// Book collects records, beside those of an older file. Safe for concurrent use.
type Book struct {
	old *Table // nil: there is none

	mu      sync.Mutex
	looks   []row
	at      map[place]int32
	folders map[string]int32 // looks in which others lie, by path
	records map[string]*kept
	touched map[int]int64 // records of old
	dropped map[int]bool  // likewise
}

type place struct {
	path string
	kind Kind
}

// row is a look in the book.
type row struct {
	Look
	in int32 // the folder; -1: the root
}

// kept is a record whose looks are in the book.
type kept struct {
	Record
	looks   []int32
	inputs  []bool  // by look
	outputs []int32 // looks at the outputs
}

// NewBook makes one with the records of an older file, which may be nil. How these looked at things stays as it is, so that a few records more cost
// little; what nobody needs any more goes when it has become much (Encode).
func NewBook(old *Table) *Book {
	if old == nil {
		old = &Table{}
	}
	return &Book{old: old, at: map[place]int32{}, folders: map[string]int32{"/": -1}, records: map[string]*kept{}, touched: map[int]int64{}, dropped: map[int]bool{}}
}

// Add takes a record. One whose looks another one contradicts is dropped: something changed between the two.
func (b *Book) Add(r Record) (taken bool) {
	slices.SortFunc(r.Looks, func(x, y Look) int { return cmp.Or(pattern.ComparePaths(x.Path, y.Path), cmp.Compare(x.Kind, y.Kind)) })
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.records, r.Task)
	if i := b.old.Find(r.Task); i >= 0 {
		b.dropped[i] = true
	}
	k := &kept{Record: r, looks: make([]int32, 0, len(r.Looks))}
	for i := range r.Looks {
		l := &r.Looks[i]
		if l.Kind == Way && (l.Path == "/" || i+1 < len(r.Looks) && pattern.IsOrBelow(r.Looks[i+1].Path, l.Path)) {
			continue // what lies in it says so
		}
		at, ok := b.look(l)
		if !ok {
			return false
		}
		k.looks = append(k.looks, at)
	}
	slices.Sort(k.looks)
	k.looks = slices.Compact(k.looks)
	k.Record.Looks, k.Record.Inputs = nil, nil
	k.inputs = make([]bool, len(k.looks))
	for i, at := range k.looks {
		l := &b.looks[at].Look
		_, k.inputs[i] = slices.BinarySearch(r.Inputs, l.Path)
		k.inputs[i] = k.inputs[i] && (l.Kind == Thing || l.Kind == Target)
	}
	for i := range r.Outputs {
		kind := Thing
		if r.Outputs[i].Kind == entry.Dir {
			kind = Mode
		}
		at, known := b.at[place{r.Outputs[i].Path, kind}]
		if _, own := slices.BinarySearch(k.looks, at); !known || !own {
			return false
		}
		k.outputs = append(k.outputs, at)
	}
	b.records[r.Task] = k
	return true
}

// look finds or makes a look, and before it those at the folders on the way; ok is false where there is one that says something else.
func (b *Book) look(l *Look) (at int32, ok bool) {
	at, known := b.at[place{l.Path, l.Kind}]
	if known {
		is := &b.looks[at]
		return at, !l.Kind.states() || is.Info.Same(l.Info) && is.Info.Perm == l.Info.Perm
	}
	in := int32(-1)
	if l.Path != "/" {
		in = b.folder(pattern.Parent(l.Path))
	}
	at = int32(len(b.looks))
	b.looks = append(b.looks, row{*l, in})
	b.at[place{l.Path, l.Kind}] = at
	if _, known := b.folders[l.Path]; !known && l.isFolder() {
		b.folders[l.Path] = at
	}
	return at, true
}

func (b *Book) folder(path string) int32 {
	at, known := b.folders[path]
	if !known {
		at, _ = b.look(&Look{Path: path, Kind: Way})
	}
	return at
}

// isFolder reports whether a look is at a folder itself, so that what lies in it needs no other one.
func (l *Look) isFolder() bool {
	return l.Kind == Way || l.Kind == Mode || l.Kind == Thing && l.Info.Kind == fsys.Dir
}

// states reports whether a look has an Info.
func (k Kind) states() bool { return k == Thing || k == Target || k == Mode }

// Touch notes that the entry of a record of the older file was used at a time, unix seconds.
func (b *Book) Touch(i int, at int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.touched[i] = at
}

// News reports whether there is anything that is not in the older file.
func (b *Book) News() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.records)+len(b.touched) > 0
}

// Tasks are those of all records, sorted.
func (b *Book) Tasks() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []string
	b.each(func(task string, _ *kept, _ int) { list = append(list, task) })
	return list
}

// each visits the records by task: one of the book, or the number of one of the older file.
func (b *Book) each(visit func(task string, k *kept, old int)) {
	for i, names := 0, slices.Sorted(maps.Keys(b.records)); i < b.old.Len() || len(names) > 0; {
		switch {
		case i < b.old.Len() && b.dropped[i]:
			i++
		case i < b.old.Len() && (len(names) == 0 || b.old.Task(i) < names[0]):
			visit(b.old.Task(i), nil, i)
			i++
		default:
			visit(names[0], b.records[names[0]], -1)
			names = names[1:]
		}
	}
}
