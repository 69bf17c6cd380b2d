package state

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// productsWith has n rows, whose paths are of a length.
func productsWith(n, length int) Products {
	l := Products{Task: "p:t", Key: hasher.Sum(digest.BLAKE3, []byte("key")), At: 7, Spans: []Span{{1, 2}}, Files: make([]Produced, n)}
	for i := range l.Files {
		path := fmt.Sprintf("/p/%08d", i)
		l.Files[i] = Produced{Path: path + strings.Repeat("x", max(0, length-len(path))), Info: fsys.Info{Kind: fsys.File, Size: 1 << 62, MTime: -1 << 62, CTime: 1 << 62,
			Inode: 1<<64 - 1, Dev: 1<<64 - 1, Perm: 0o7777}, HasDigest: true, Digest: l.Key}
	}
	return l
}

// allocated is how many bytes f allocates.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// What is written of a product list is read. Of one that is too large, nothing is known to be the task's, and no older one counts.
func TestProductsLimits(t *testing.T) {
	for _, tt := range []struct {
		rows, length int
		kept         bool
	}{
		{1 << 17, 128, true}, // as many outputs as an entry has, with all the texts that it has
		{maxRows, 11, true},
		{maxRows + 1, 11, false},
		{1000, maxProducts/1000 - 300, true},
		{1000, maxProducts / 1000, false},
	} {
		t.Run(fmt.Sprintf("%d of %d bytes", tt.rows, tt.length), func(t *testing.T) {
			mem := memfs.New()
			Open(mem, digest.BLAKE3).WriteProducts(productsWith(3, 20))
			l := productsWith(tt.rows, tt.length)
			Open(mem, digest.BLAKE3).WriteProducts(l)
			got := Open(mem, digest.BLAKE3).Products("p:t")
			switch {
			case got.Key != l.Key || got.At != l.At || got.Running:
				t.Errorf("%s at %d, running: %v", got.Key.Short(), got.At, got.Running)
			case tt.kept && (len(got.Files) != tt.rows || got.Files[tt.rows-1] != l.Files[tt.rows-1] || got.Unfinished):
				t.Errorf("%d rows were read", len(got.Files))
			case !tt.kept && (len(got.Files) > 0 || !got.Unfinished):
				t.Errorf("%d rows were read", len(got.Files))
			}
		})
	}
}

// Somebody else may write more rows than haz does.
func TestProductsRows(t *testing.T) {
	for _, over := range []int{0, 1} {
		s := Open(memfs.New(), digest.BLAKE3)
		w := s.products.record("p:t")
		w.Line(wordKey)
		w.Digest(digest.Digest{})
		l := productsWith(maxRows+over, 11)
		for i := range l.Files {
			l.Files[i].HasDigest, l.Files[i].Info = false, fsys.Info{}
			l.Files[i].write(w)
		}
		s.products.put("p:t", s.products.end(w, 1))
		if got := s.Products("p:t"); len(got.Files) != maxRows*(1-over) {
			t.Errorf("%d rows more than are allowed: %d were read", over, len(got.Files))
		}
	}
}

// A line that nobody has is no task's name, and a path that is longer than any line is not kept.
func TestLongLines(t *testing.T) {
	s := Open(memfs.New(), digest.BLAKE3)
	s.WriteProducts(productsWith(2, text.MaxLine-300))
	if got := s.Products("p:t"); len(got.Files) != 2 {
		t.Errorf("%d rows were read", len(got.Files))
	}
	s.WriteProducts(productsWith(2, text.MaxLine))
	if got := s.Products("p:t"); len(got.Files) > 0 || !got.Unfinished {
		t.Errorf("%d rows were read", len(got.Files))
	}
}

// A product list that gives way to another one is not read whole for that, however long it is, be it as long as the new one or not.
func TestProductsGivesWayUnread(t *testing.T) {
	const n = 1 << 16
	for name, differ := range map[string]func(*Products){
		"another length":    func(l *Products) { l.Files = l.Files[1:] },
		"same length":       func(l *Products) { l.Files[n-1].Info.Perm = 0o7000 },
		"same but its time": func(l *Products) { l.At++ },
	} {
		t.Run(name, func(t *testing.T) {
			s := Open(hostDisk(t), digest.BLAKE3) // the one in memory would allocate more
			s.WriteProducts(productsWith(n, 100))
			next := productsWith(n, 100)
			differ(&next)
			made := allocated(func() { s.WriteProducts(next) })
			// The new one is written down; twice that would be the old one as well.
			record, _ := s.productsText(&next)
			if most := int64(len(record)*3/2 + 1<<20); made > most {
				t.Errorf("%d bytes were allocated, more than %d", made, most)
			}
			if name == "same but its time" {
				next.At--
			}
			if got := s.Products("p:t"); !reflect.DeepEqual(got, next) {
				t.Errorf("another product list was read: %d rows, at %d", len(got.Files), got.At)
			}
		})
	}
}

// A record that is longer than any that is written is none, however well it is sealed.
func TestLongRecords(t *testing.T) {
	for _, over := range []int{0, 1} {
		s := Open(memfs.New(), digest.BLAKE3)
		record := func(n int) []byte {
			w := s.rewrites.record("p:t")
			for n > 0 {
				w.Line(wordPath)
				w.Str(strings.Repeat("x", min(n, 100<<10)))
				n -= 100 << 10
			}
			return s.rewrites.end(w, 1)
		}
		n := maxRewrite - len(record(0)) - 160*len(" path\n")
		n += maxRewrite + over - len(record(n))
		b := record(n)
		if _, err := s.rewrites.append("p:t", b); err != nil || len(b) != maxRewrite+over {
			t.Fatal(err, len(b))
		}
		if _, _, _, ok := s.rewrites.get("p:t"); ok != (over == 0) {
			t.Errorf("%d bytes more than are allowed: read %v", over, ok)
		}
	}
}

// A last key that is too long is not kept, and the one before does not pass for it.
func TestLastKeyLimits(t *testing.T) {
	part := strings.Repeat("x", 100<<10)
	for _, tt := range []struct {
		parts int
		kept  bool
	}{{0, true}, {maxLastKey/(100<<10) - 1, true}, {maxLastKey/(100<<10) + 1, false}} {
		mem := memfs.New()
		Open(mem, digest.BLAKE3).WriteLastKey("p:t", lastKey("p:t", "one"))
		record := lastKey("p:t", "two", slices.Repeat([]string{part}, tt.parts)...)
		Open(mem, digest.BLAKE3).WriteLastKey("p:t", record)
		got, ok := Open(mem, digest.BLAKE3).LastKey("p:t")
		if !ok || !bytes.HasPrefix(got, RecordHead(record)) || tt.kept != bytes.Equal(got, record) || !tt.kept && len(got) > 1000 {
			t.Errorf("%d bytes: %d were read", len(record), len(got))
		}
	}
}

// As many rewritten paths are kept as fit.
func TestRewritesLimits(t *testing.T) {
	mem := memfs.New()
	paths := make([]string, 100)
	for i := range paths {
		paths[i] = fmt.Sprintf("/%02d", i) + strings.Repeat("x", 200<<10)
	}
	Open(mem, digest.BLAKE3).AddRewrites("p:t", paths)
	if got := Open(mem, digest.BLAKE3).Rewrites("p:t"); len(got) != 81 || got[80] != paths[80] {
		t.Errorf("%d paths are kept", len(got))
	}
}

// Somebody else may write more rewritten paths than haz does; the shortest are the most.
func TestRewritesCount(t *testing.T) {
	for _, over := range []int{0, 1} {
		s := Open(memfs.New(), digest.BLAKE3)
		n := maxRewrites + over
		w := s.rewrites.record("p:t")
		for range n {
			w.Line(wordPath)
			w.Str("")
		}
		s.rewrites.put("p:t", s.rewrites.end(w, 1))
		if got := s.Rewrites("p:t"); (len(got) == n) != (over == 0) {
			t.Errorf("%d paths more than are allowed: %d were read", over, len(got))
		}
	}
}

// Of an index of another start of the system, or of none, the first bytes are read and no more, however long it is and however well it
// is sealed: one that came with a workspace costs nothing.
func TestForeignIndexIsNotRead(t *testing.T) {
	foreign := hasher.Sum(digest.BLAKE3, []byte("another start"))
	const size = 32 << 20
	for name, file := range map[string][]byte{
		"another start": seal(indexMagic, append(append(newFrame(size), foreign[:]...), make([]byte, size)...)),
		"zeros":         make([]byte, size),
	} {
		s := Open(memfs.New(), digest.BLAKE3)
		if err := s.home.write(s.indexName(), file); err != nil {
			t.Fatal(err)
		}
		var rows int
		if made := allocated(func() { rows = len(s.table().rows) }); made > 1<<20 || rows > 0 {
			t.Errorf("%s: %d bytes were allocated, and %d of rows are there", name, made, rows)
		}
	}
}

// A log of more tasks than anybody has is known in part; what is known is right, and what is written later is known.
func TestTasksLimits(t *testing.T) {
	mem := memfs.New()
	name := func(i int) string { return fmt.Sprintf("p:%03d", i) + strings.Repeat("x", 60<<10) }
	s := Open(mem, digest.BLAKE3)
	for i := range 500 {
		s.WriteLastKey(name(i), lastKey(name(i), fmt.Sprint(i)))
	}
	s = Open(mem, digest.BLAKE3)
	known := 0
	for i := range 500 {
		got := keptKey(s, name(i))
		if got != "" {
			known++
		}
		if got != "" && got != fmt.Sprint(i) {
			t.Errorf("%d has the record of another task", i)
		}
	}
	if known < 300 || known > maxTasks/(60<<10) {
		t.Errorf("%d tasks are known", known)
	}
	s.WriteLastKey(name(0), lastKey(name(0), "77"))
	if keptKey(Open(mem, digest.BLAKE3), name(0)) != "77" {
		t.Error("a later record does not count")
	}
	long := strings.Repeat("x", maxTaskLine)
	s.WriteLastKey(long, lastKey(long, "1"))
	if _, ok := s.LastKey(long); ok {
		t.Error("a task with a name that is not read has a record")
	}
}

// The product lists of other tasks that are remembered take no more memory than is allowed, however many there are.
func TestMemosAreFew(t *testing.T) {
	mem := memfs.New()
	s := Open(mem, digest.BLAKE3)
	var tasks []string
	for i := range 8 {
		l := productsWith(40_000, 100)
		l.Task = fmt.Sprintf("p:%d", i)
		tasks = append(tasks, l.Task)
		s.WriteProducts(l)
	}
	for range 2 {
		if got := s.ListedBy(productsWith(1, 100).Files[0].Path, tasks); len(got) != len(tasks) {
			t.Fatalf("listed by %v", got)
		}
		var sum int64
		for _, m := range s.memo {
			sum += m.size
		}
		if sum != s.memoSize || sum > maxMemory || len(s.memo) == 0 {
			t.Errorf("%d product lists of %d bytes, counted as %d", len(s.memo), sum, s.memoSize)
		}
	}
}
