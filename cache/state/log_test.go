package state

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

func logName(name string) string { return layout.StateDir + "/" + name }

// productsOf has a path of n bytes, so that records of all sizes come about.
func productsOf(task string, n int, text string) Products {
	return Products{Task: task, Key: digest.Digest{byte(n)}, Files: []Produced{{Path: "/" + strings.Repeat("x", n) + text}}}
}

// What was written last counts, whoever wrote it, through compaction, garbage, torn tails and deletion.
func TestLogIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem := memfs.New()
		states := []*State{Open(mem, digest.BLAKE3), Open(mem, digest.BLAKE3)}
		want := map[string]Products{}
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			s := states[rapid.IntRange(0, 1).Draw(t, "who")]
			switch rapid.IntRange(0, 7).Draw(t, "do") {
			case 0, 1, 2, 3:
				task := rapid.SampledFrom([]string{"p:a", "p:b", "p:c", ""}).Draw(t, "task")
				l := productsOf(task, rapid.SampledFrom([]int{0, 10, scanWindow - 200, scanWindow + 1, text.MaxLine - 400}).Draw(t, "size"), fmt.Sprint(i))
				s.WriteProducts(l)
				want[task] = l
			case 4:
				s.Flush()
			case 5: // something that is no record, or half of one
				if _, err := mem.Lstat(logName(producedName)); err != nil {
					continue
				}
				torn := productsOf("p:a", 100, "torn")
				record, _ := s.productsText(&torn)
				head := "haz produced 1 blake3\n"
				junk := rapid.SampledFrom([]string{"x", head, head + "task p:a\n", head + head, head + "task p:a\ndigest " + strings.Repeat("0", 64) + "\n",
					head + "task p:a\n" + strings.Repeat("\xff", 60), strings.Repeat("junk", 40_000), strings.Repeat("\x00", scanWindow-5), strings.Repeat("\x00", 2*scanWindow-13)}).Draw(t, "junk")
				if n := rapid.IntRange(0, len(record)-1).Draw(t, "of the record"); n > 0 {
					junk = string(record[:n])
				}
				appendTo(t, mem, logName(producedName), junk)
			case 6:
				if err := mem.RemoveAll(layout.StateDir); err != nil {
					t.Fatal(err)
				}
				want = map[string]Products{}
			case 7:
				states[0] = Open(mem, digest.BLAKE3)
			}
			for task, l := range want {
				for k, s := range append(states, Open(mem, digest.BLAKE3)) {
					if got := s.Products(task); !reflect.DeepEqual(got, l) {
						t.Fatalf("step %d, state %d, %q: a product list of %d files of %q", i, k, task, len(got.Files), got.Task)
					}
				}
			}
		}
		for _, s := range states {
			if len(s.Trouble()) > 0 {
				t.Fatal(s.Trouble())
			}
		}
	})
}

func appendTo(t interface{ Fatal(...any) }, f fsys.FS, name, text string) {
	data, _, err := f.ReadFile(name, 0)
	if err != nil {
		t.Fatal(err)
	}
	w, err := f.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Write(append(bytes.Clone(data), text...)); err != nil {
		t.Fatal(err)
	}
}

// A product list is written unless what lies there differs from it in nothing but when it was made; as long as the new one, and as well sealed,
// is what anybody may put there.
func TestProductsIsComparedWhole(t *testing.T) {
	l := Products{Task: "p:a", Spans: []Span{{1, 2}}, Files: []Produced{{Path: "/a"}, {Path: "/b" + strings.Repeat("x", text.MaxLine-400)}, {Path: "/c", LinkText: "x"}}}
	for name, change := range map[string]func(l *Products){
		"key":        func(l *Products) { l.Key[0] = 1 },
		"flags":      func(l *Products) { l.Running = true },
		"spans":      func(l *Products) { l.Spans = []Span{{1, 3}} },
		"first path": func(l *Products) { l.Files[0].Path = "/A" },
		"middle": func(l *Products) {
			l.Files[1].Path = "/b" + strings.Repeat("x", scanWindow) + "y" + strings.Repeat("x", text.MaxLine-401-scanWindow)
		},
		"last byte":     func(l *Products) { l.Files[2].LinkText = "y" },
		"nothing":       func(l *Products) {},
		"when":          func(l *Products) { l.At++ },
		"one byte less": func(l *Products) { l.Files[2].LinkText = "" },
	} {
		mem := memfs.New()
		other := l
		other.Files = slices.Clone(l.Files)
		change(&other)
		Open(mem, digest.BLAKE3).WriteProducts(other)
		stamp := Open(mem, digest.BLAKE3).WriteProducts(l)
		if same := name == "nothing" || name == "when"; same != (stamp == 0) {
			t.Errorf("%s: written at %d", name, stamp)
		}
	}
}

// A product list whose seal was broken after the log was looked at is written again, even where it says the same, or all but when it was made.
func TestProductsWithABrokenSeal(t *testing.T) {
	l := productsOf("p:a", text.MaxLine-400, "")
	record, _ := Open(memfs.New(), digest.BLAKE3).productsText(&l)
	size := len(record)
	for _, at := range []int{0, 10, 21, 22, 30, 40, size / 2, size - 170, size - text.SealSize - 2, size - text.SealSize - 1, size - text.SealSize, size - 20, size - 2, size - 1} {
		mem := memfs.New()
		s := Open(mem, digest.BLAKE3)
		s.WriteProducts(l)
		if stamp := s.WriteProducts(l); stamp != 0 {
			t.Fatal("the same product list was written again")
		}
		damage(t, mem, logName(producedName), at)
		if stamp := s.WriteProducts(l); stamp == 0 {
			t.Errorf("byte %d is another one, and passed", at)
		}
		if got := Open(mem, digest.BLAKE3).Products(l.Task); !reflect.DeepEqual(got, l) {
			t.Errorf("byte %d: a product list of %d files of %q was read", at, len(got.Files), got.Task)
		}
	}
}

// damage turns a bit of the byte at a place of a file, which stays the same file.
func damage(t *testing.T, f fsys.FS, name string, at int) {
	t.Helper()
	w, err := f.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	b := make([]byte, 1)
	if _, err := w.ReadAt(b, int64(at)); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := w.WriteAt(b, int64(at)); err != nil {
		t.Fatal(err)
	}
}

// A record of which only the beginning was written hides nothing, wherever it ends and wherever the window of whoever looks does.
func TestTornRecords(t *testing.T) {
	first, torn, last := productsOf("p:a", 10, ""), productsOf("p:b", 10, ""), productsOf("p:c", 20, "")
	texts := map[string]string{}
	for _, l := range []Products{first, torn, last} {
		record, _ := Open(memfs.New(), digest.BLAKE3).productsText(&l)
		texts[l.Task] = string(record)
	}
	for pad := range 80 {
		for n := range len(texts["p:b"]) {
			if pad > 0 && n%29 != pad%29 {
				continue // all places of one with all places of the other would take minutes
			}
			padding := ""
			if pad > 0 {
				padding = strings.Repeat("\x00", scanWindow-len(texts["p:a"])-n-pad)
			}
			mem := memfs.New()
			Open(mem, digest.BLAKE3).WriteProducts(first)
			appendTo(t, mem, logName(producedName), texts["p:b"][:n]+padding+texts["p:c"])
			s := Open(mem, digest.BLAKE3)
			if !reflect.DeepEqual(s.Products("p:a"), first) || s.Products("p:b").Task != "" || !reflect.DeepEqual(s.Products("p:c"), last) {
				t.Fatalf("%d bytes of a record, %d zeros: %q, %q, %q", n, len(padding), s.Products("p:a").Task, s.Products("p:b").Task, s.Products("p:c").Task)
			}
		}
	}
}

// A bit that turned in one record costs that record alone.
func TestDamageInALogIsLocal(t *testing.T) {
	mem := memfs.New()
	s := Open(mem, digest.BLAKE3)
	tasks := []string{"p:a", "p:b", "p:c"}
	for i, task := range tasks {
		s.WriteProducts(productsOf(task, 20, fmt.Sprint(i)))
	}
	s.Flush()
	whole, _, err := mem.ReadFile(logName(producedName), 0)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(whole) {
		bad := bytes.Clone(whole)
		bad[bit/8] ^= 1 << (bit % 8)
		write(t, mem, logName(producedName), string(bad))
		s := Open(mem, digest.BLAKE3)
		lost := 0
		for i, task := range tasks {
			switch got := s.Products(task); {
			case reflect.DeepEqual(got, Products{}):
				lost++
			case !reflect.DeepEqual(got, productsOf(task, 20, fmt.Sprint(i))):
				t.Errorf("bit %d: %s: %+v", bit, task, got)
			}
		}
		if lost != 1 {
			t.Errorf("bit %d: %d records lost, want 1", bit, lost)
		}
	}
}

// A log does not grow for ever, and of what counts nothing is lost.
func TestLogIsCompacted(t *testing.T) {
	for _, f := range bothDisks(t) {
		for round := range 40 {
			s := Open(f, digest.BLAKE3)
			for task := range 20 {
				s.WriteProducts(productsOf(fmt.Sprint("p:", task), 2000, fmt.Sprint(round)))
			}
			s.Flush()
		}
		info, err := f.Lstat(logName(producedName))
		if err != nil || info.Size > logSlack+4*20*2200 || info.Perm != 0o600 {
			t.Errorf("%d bytes, mode %o, %v", info.Size, info.Perm, err)
		}
		s := Open(f, digest.BLAKE3)
		for task := range 20 {
			if got := s.Products(fmt.Sprint("p:", task)); !reflect.DeepEqual(got, productsOf(fmt.Sprint("p:", task), 2000, "39")) {
				t.Errorf("p:%d has an older product list, or none", task)
			}
		}
		s.Flush()
	}
}

// Many haz append and compact at once: nothing that one has written is lost.
func TestLogIsShared(t *testing.T) {
	for _, f := range bothDisks(t) {
		var group sync.WaitGroup
		const writers, rounds = 4, 40
		for w := range writers {
			group.Go(func() {
				rnd := rand.New(rand.NewSource(int64(w)))
				s := Open(f, digest.BLAKE3)
				for round := range rounds {
					for task := range 3 {
						s.WriteProducts(productsOf(fmt.Sprintf("p%d:%d", w, task), 3000, fmt.Sprint(round)))
					}
					if rnd.Intn(3) == 0 {
						s.Flush()
					}
					for task := range 3 {
						name := fmt.Sprintf("p%d:%d", w, task)
						if got := s.Products(name); !reflect.DeepEqual(got, productsOf(name, 3000, fmt.Sprint(round))) {
							t.Errorf("round %d: %s has lost its product list (%d files)", round, name, len(got.Files))
							return
						}
					}
				}
				s.Flush()
				if len(s.Trouble()) > 0 {
					t.Error(s.Trouble())
				}
			})
		}
		group.Wait()
		s := Open(f, digest.BLAKE3)
		for w := range writers {
			for task := range 3 {
				name := fmt.Sprintf("p%d:%d", w, task)
				if got := s.Products(name); !reflect.DeepEqual(got, productsOf(name, 3000, fmt.Sprint(rounds-1))) {
					t.Errorf("in the end %s has lost its product list", name)
				}
			}
		}
		s.Flush()
	}
}

// Between the look of one haz at a log and its write another one writes: each finds both records, and not one for the other.
func TestLogWrittenBetweenLookAndWrite(t *testing.T) {
	for _, f := range bothDisks(t) {
		one, other := Open(f, digest.BLAKE3), Open(f, digest.BLAKE3)
		for round := range 3 {
			for _, s := range []*State{one, other} {
				s.keys.get("p:one") // the look
			}
			bodies := map[string]string{"p:one": fmt.Sprint("of one ", round), "p:other": fmt.Sprint("of the other ", round)}
			other.keys.put("p:other", lastKey("p:other", bodies["p:other"]))
			one.keys.put("p:one", lastKey("p:one", bodies["p:one"]))
			for who, s := range map[string]*State{"one": one, "the other": other, "a third": Open(f, digest.BLAKE3)} {
				for task, want := range bodies {
					if got := keptKey(s, task); got != want {
						t.Errorf("round %d: %s finds %q of %s", round, who, got, task)
					}
				}
				if s != one && s != other {
					s.Flush()
				}
			}
		}
		one.Flush()
		other.Flush()
	}
}

// Somebody deletes .haz/state between two records, and between the look at a log and the write: what is written is there.
func TestLogFollowsItsName(t *testing.T) {
	for _, f := range bothDisks(t) {
		s := Open(f, digest.BLAKE3)
		for i := range 3 {
			body := fmt.Sprint("body ", i)
			s.keys.put("p:t", lastKey("p:t", body))
			for who, reader := range map[string]*State{"the writer": s, "another": Open(f, digest.BLAKE3)} {
				if got := keptKey(reader, "p:t"); got != body {
					t.Errorf("round %d: %s finds %q", i, who, got)
				}
				if reader != s {
					reader.Flush()
				}
			}
			if err := f.RemoveAll(layout.StateDir); err != nil {
				t.Fatal(err)
			}
		}
		if len(s.Trouble()) > 0 {
			t.Error(s.Trouble())
		}
		s.Flush()
	}
}

// A log is not rewritten while another haz has it open: what that one appends would be lost.
func TestOpenLogIsNotRewritten(t *testing.T) {
	for _, f := range bothDisks(t) {
		a, b := Open(f, digest.BLAKE3), Open(f, digest.BLAKE3)
		for i := range 4 {
			a.keys.put("p:t", lastKey("p:t", fmt.Sprint(i), strings.Repeat("x", logSlack/2), strings.Repeat("x", logSlack/2)))
		}
		b.keys.get("p:t")
		file := func() fsys.Info {
			info, err := f.Lstat(logName(keysName))
			if err != nil {
				t.Fatal(err)
			}
			return info
		}
		before := file()
		a.Flush()
		if got := file(); got.Inode != before.Inode || got.Size != before.Size {
			t.Errorf("rewritten while it was open: %d bytes, then %d", before.Size, got.Size)
		}
		b.Flush()
		if got := file(); got.Size > before.Size/2 {
			t.Errorf("the last one leaves %d bytes of %d", got.Size, before.Size)
		}
	}
}

func BenchmarkLog(b *testing.B) {
	disk := hostDisk(b)
	s := Open(disk, digest.BLAKE3)
	for i := range 1000 {
		s.WriteProducts(productsOf(fmt.Sprint("p:", i), 100, ""))
	}
	s.Flush()
	b.Run("load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s := Open(disk, digest.BLAKE3)
			s.Products("p:1")
			s.Flush()
		}
	})
	b.Run("get", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Products("p:500")
		}
	})
}
