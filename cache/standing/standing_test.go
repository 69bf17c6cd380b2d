package standing

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
)

func file(n uint64) fsys.Info {
	return fsys.Info{Kind: fsys.File, Perm: 0o644, Size: int64(n), MTime: 1e9 + int64(n), CTime: 2e9 + int64(n), Inode: 100 + n, Dev: 7}
}

func folder(n uint64) fsys.Info {
	i := file(n)
	i.Kind, i.Perm = fsys.Dir, 0o755
	return i
}

func sum(n int) (d digest.Digest) {
	d[0], d[31] = byte(n), byte(n>>8)
	return d
}

// example is a record with a look of every kind, and an output of every kind.
func example() Record {
	link := file(5)
	link.Kind, link.Perm = fsys.Link, 0o777
	return Record{Task: "lib:build", Key: sum(1), Asked: sum(2), Upstreams: sum(3), Closure: sum(4), Product: sum(5),
		Looks: []Look{{"/lib/src", Thing, folder(1)}, {"/lib/src/a.c", Thing, file(2)}, {"/lib/src/l", Thing, link}, {"/lib/src/l", Target, file(9)},
			{"/lib/none", Absent, fsys.Info{}}, {"/lib/src/dangling", Nowhere, fsys.Info{}}, {"/lib/empty", Way, fsys.Info{}},
			{"/lib/out", Mode, folder(6)}, {"/lib/out/a.o", Thing, file(7)}, {"/lib/out/l", Thing, link}},
		Inputs: []string{"/lib/src/a.c", "/lib/src/l"},
		Outputs: []Output{{Output: entry.Output{Path: "/lib/out", Kind: entry.Dir, Mode: 0o755}, Info: folder(6)},
			{Output: entry.Output{Path: "/lib/out/a.o", Kind: entry.File, Mode: 0o644, Size: 7, Digest: sum(8)}, Info: file(7), Found: true},
			{Output: entry.Output{Path: "/lib/out/l", Kind: entry.Link, Target: "a.o"}, Info: link}},
		Stdout: sum(20), Stderr: sum(21), StdoutLen: 3, StderrLen: 4, Order: "1,4,2", Attempt: 2, Touched: 99, List: state.Place{Off: 10, Size: 20}, Entry: folder(30)}
}

func exampleHead() *Head {
	h := &Head{World: sum(77), Log: state.ProductLog{Inode: 1, Dev: 2, Size: 3}}
	h.Shards[3] = folder(40)
	h.Shards[3].Perm = 0
	return h
}

func keepAll(string, state.Place) bool { return true }

func encode(t *testing.T, b *Book) []byte {
	t.Helper()
	payload, _, ok := b.Encode(exampleHead(), keepAll)
	if !ok {
		t.Fatal("not encoded")
	}
	return payload
}

// read is a record as the table has it.
func read(t *testing.T, table *Table, task string) Record {
	t.Helper()
	i := table.Find(task)
	if i < 0 {
		t.Fatalf("no record of %s", task)
	}
	r, ok := table.Record(i)
	if !ok {
		t.Fatalf("no result of %s", task)
	}
	r.Looks = byPath(r.Looks)
	return r
}

func byPath(looks []Look) []Look {
	looks = slices.Clone(looks)
	slices.SortFunc(looks, func(a, b Look) int {
		return strings.Compare(fmt.Sprintf("%s %d", a.Path, a.Kind), fmt.Sprintf("%s %d", b.Path, b.Kind))
	})
	return looks
}

func TestRecordIsReadAsItWasWritten(t *testing.T) {
	b := NewBook(nil)
	if !b.Add(example()) {
		t.Fatal("not taken")
	}
	other := Record{Task: "app:build", Key: sum(50), Attempt: 1, Looks: []Look{{"/lib/out/a.o", Thing, file(7)}}, Inputs: []string{"/lib/out/a.o"}}
	if !b.Add(other) {
		t.Fatal("not taken")
	}
	table, ok := Read(encode(t, b))
	if !ok {
		t.Fatal("not read")
	}
	head := *exampleHead()
	head.Fresh = table.Head.Fresh
	if table.Len() != 2 || table.Find("lib:buil") >= 0 || table.Head != head || head.Fresh == 0 {
		t.Errorf("%d records, head %+v", table.Len(), table.Head.Log)
	}
	got, want := read(t, table, "lib:build"), example()
	want.Looks = byPath(want.Looks)
	got.Entry.Perm = want.Entry.Perm // only what Same compares is kept of it
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	// Two tasks that look at one thing have one look of it, and each folder on the way has one, before what lies in it.
	seen := map[string]int{}
	for i := range table.Looks() {
		seen[table.Path(i)]++
		if in := table.In(i); in >= i || in >= 0 && table.Path(in)+"/"+table.Name(i) != table.Path(i) {
			t.Errorf("look %d, %s, lies in %d", i, table.Path(i), in)
		}
	}
	if seen["/lib"] != 1 || seen["/lib/out"] != 1 || seen["/lib/out/a.o"] != 1 || seen["/lib/src/l"] != 2 {
		t.Errorf("looks: %v", seen)
	}
}

func TestContradictingRecordIsDropped(t *testing.T) {
	b := NewBook(nil)
	b.Add(example())
	moved := example()
	moved.Task = "lib:test"
	moved.Looks[1].Info.MTime++
	if b.Add(moved) || len(b.Tasks()) != 1 {
		t.Error("two tasks saw one file in two states, and both were believed")
	}
	mode := example()
	mode.Task = "lib:test"
	mode.Looks[1].Info.Perm = 0o600
	if b.Add(mode) {
		t.Error("two permissions of one file were believed")
	}
	unseen := example()
	unseen.Looks = unseen.Looks[:len(unseen.Looks)-1]
	if b.Add(unseen) || len(b.Tasks()) != 0 {
		t.Error("an output that nobody looked at was believed, or the older record of the task stayed")
	}
}

// TestLookHolds says what each kind of look takes for unchanged.
func TestLookHolds(t *testing.T) {
	gone := &fs.PathError{Op: "lstat", Path: "/x", Err: fs.ErrNotExist}
	denied := &fs.PathError{Op: "lstat", Path: "/x", Err: fs.ErrPermission}
	change := func(do func(i *fsys.Info)) fsys.Info {
		i := file(1)
		do(&i)
		return i
	}
	for _, c := range []struct {
		kind  Kind
		was   fsys.Info
		now   fsys.Info
		err   error
		holds bool
	}{
		{Way, fsys.Info{}, folder(1), nil, true},
		{Way, fsys.Info{}, file(1), nil, false},
		{Way, fsys.Info{}, change(func(i *fsys.Info) { i.Kind = fsys.Link }), nil, false},
		{Way, fsys.Info{}, fsys.Info{}, gone, false},
		{Thing, file(1), file(1), nil, true},
		{Thing, file(1), fsys.Info{}, gone, false},
		{Thing, file(1), change(func(i *fsys.Info) { i.Size++ }), nil, false},
		{Thing, file(1), change(func(i *fsys.Info) { i.MTime++ }), nil, false},
		{Thing, file(1), change(func(i *fsys.Info) { i.CTime++ }), nil, false},
		{Thing, file(1), change(func(i *fsys.Info) { i.Inode++ }), nil, false},
		{Thing, file(1), change(func(i *fsys.Info) { i.Dev++ }), nil, false},
		{Thing, file(1), change(func(i *fsys.Info) { i.Perm = 0o755 }), nil, false},
		{Thing, file(1), change(func(i *fsys.Info) { i.Kind = fsys.Link }), nil, false},
		{Thing, folder(1), folder(1), nil, true},
		{Thing, folder(1), folder(2), nil, false},
		{Target, file(1), file(1), nil, true},
		{Target, file(1), file(2), nil, false},
		{Mode, folder(1), folder(2), nil, true},
		{Mode, folder(1), change(func(i *fsys.Info) { i.Kind, i.Perm = fsys.Dir, 0o700 }), nil, false},
		{Mode, folder(1), file(1), nil, false},
		{Absent, fsys.Info{}, fsys.Info{}, gone, true},
		{Absent, fsys.Info{}, file(1), nil, false},
		{Absent, fsys.Info{}, fsys.Info{}, denied, false},
		{Nowhere, fsys.Info{}, fsys.Info{}, gone, true},
		{Nowhere, fsys.Info{}, file(1), nil, false},
	} {
		l := Look{Kind: c.kind, Info: c.was}
		if got := l.Holds(c.now, c.err); got != c.holds {
			t.Errorf("kind %d, was %+v, now %+v, %v: %v", c.kind, c.was, c.now, c.err, got)
		}
	}
}

// walk asks a table for all that it has.
func walk(table *Table) {
	for i := range table.Looks() {
		table.Path(i)
		table.Look(i)
	}
	for i := range table.Len() {
		r := table.Short(i)
		table.Result(i, &r)
		table.Record(i)
		for at := range table.Refs(i) {
			table.Look(at)
		}
	}
}

func FuzzRead(f *testing.F) {
	b := NewBook(nil)
	b.Add(example())
	payload, _, _ := b.Encode(exampleHead(), keepAll)
	f.Add(payload)
	f.Add(payload[:headSize+countsSize])
	f.Fuzz(func(t *testing.T, payload []byte) {
		if table, ok := Read(payload); ok {
			walk(table)
		}
	})
}

// TestDamagedPayload changes what a payload says in many ways: nothing of it panics, whatever it is taken for.
func TestDamagedPayload(t *testing.T) {
	b := NewBook(nil)
	b.Add(example())
	whole := encode(t, b)
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 20000 {
		p := slices.Clone(whole)
		for range 1 + random.IntN(3) {
			at := headSize + random.IntN(len(p)-headSize)
			p[at] = byte(random.Uint32())
		}
		if n%4 == 0 {
			p = p[:random.IntN(len(p))]
		}
		if table, ok := Read(p); ok {
			walk(table)
		}
	}
	if _, ok := Read(append(slices.Clone(whole), 0)); ok {
		t.Error("a payload with something behind it was believed")
	}
}

func BenchmarkRead(b *testing.B) {
	book := NewBook(nil)
	for i := range 10000 {
		dir := fmt.Sprintf("/p/p%05d", i)
		r := Record{Task: fmt.Sprintf("p%05d:build", i), Key: sum(i), Attempt: 1, Looks: []Look{{dir + "/src", Thing, folder(1)}, {dir + "/out/result", Thing, file(3)}},
			Outputs: []Output{{Output: entry.Output{Path: dir + "/out/result", Kind: entry.File, Digest: sum(i)}}}}
		for k := range 4 {
			path := fmt.Sprintf("%s/src/f%03d.txt", dir, k)
			r.Looks, r.Inputs = append(r.Looks, Look{path, Thing, file(uint64(k))}), append(r.Inputs, path)
		}
		book.Add(r)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			book.Encode(exampleHead(), keepAll)
		}
	})
	payload, _, _ := book.Encode(exampleHead(), keepAll)
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(payload)))
		for b.Loop() {
			if _, ok := Read(payload); !ok {
				b.Fatal("not read")
			}
		}
	})
}

// numbered is a record of its own task and folder.
func numbered(i, version int) Record {
	dir := fmt.Sprintf("/p/p%03d", i)
	return Record{Task: fmt.Sprintf("p%03d:build", i), Key: sum(1000*version + i), Attempt: 1, Touched: 5, List: state.Place{Off: int64(i), Size: 1},
		Looks:  []Look{{dir + "/src", Thing, folder(uint64(version))}, {dir + "/src/a.txt", Thing, file(uint64(version))}, {dir + "/out", Thing, file(3)}},
		Inputs: []string{dir + "/src/a.txt"}, Outputs: []Output{{Output: entry.Output{Path: dir + "/out", Kind: entry.File, Mode: 0o644, Size: 3, Digest: sum(i)}, Info: file(3)}}}
}

// TestOlderRecordsStay adds to a file again and again: what was not replaced stays as it was, and the file does not grow without end.
func TestOlderRecordsStay(t *testing.T) {
	const tasks = 40
	want := map[string]Record{}
	var table *Table
	random := rand.New(rand.NewPCG(3, 4))
	for version := range 1500 {
		b := NewBook(table)
		for range 1 + random.IntN(3) {
			r := numbered(random.IntN(tasks), version)
			want[r.Task] = r
			b.Add(numbered(int(r.List.Off), version))
		}
		gone := fmt.Sprintf("p%03d:build", random.IntN(tasks*20))
		delete(want, gone)
		if table != nil && random.IntN(10) == 0 {
			i := random.IntN(table.Len())
			if r := want[table.Task(i)]; r.Key == table.Short(i).Key {
				b.Touch(i, int64(version))
				r.Touched = int64(version)
				want[r.Task] = r
			}
		}
		payload, _, ok := b.Encode(exampleHead(), func(task string, list state.Place) bool {
			if r, has := want[task]; has && r.List != list {
				t.Errorf("the list of %s lies at %v", task, list)
			}
			return task != gone
		})
		if !ok {
			t.Fatal("not encoded")
		}
		if table, ok = Read(payload); !ok {
			t.Fatalf("version %d is not read", version)
		}
		if table.Len() != len(want) {
			t.Fatalf("version %d: %d records of %d", version, table.Len(), len(want))
		}
	}
	for task, w := range want {
		w.Looks = byPath(w.Looks)
		if got := read(t, table, task); !reflect.DeepEqual(got, w) {
			t.Errorf("got  %+v\nwant %+v", got, w)
		}
	}
	if n := table.Looks(); n > 2*slack {
		t.Errorf("%d looks for %d tasks", n, tasks)
	}
}
