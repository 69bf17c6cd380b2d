package infertest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer"
)

// A Maker makes a workspace of n projects, each of which uses as many others, whatever n is.
type Maker func(n int) []txtar.File

// Linear holds what a reader asks of the disk, and what it allocates, against the number of projects: twice as many cost twice as much.
func Linear(t *testing.T, r infer.Reader, many Maker) {
	const n = 60
	asked, allocated, edges := map[int]int64{}, map[int]float64{}, map[int]int{}
	for _, size := range []int{n, 2 * n} {
		disk := fsys.Memory()
		for _, f := range many(size) {
			Put(t, disk, f.Name, string(f.Data))
		}
		counted := &counter{FS: disk}
		found := infer.All(t.Context(), counted, r)
		if len(found.Projects) < size {
			t.Fatalf("of %d projects %d are found: %v", size, len(found.Projects), found.Mistakes)
		}
		asked[size], edges[size] = counted.asked.Load(), len(found.Edges)
		allocated[size] = testing.AllocsPerRun(1, func() { infer.All(t.Context(), disk, r) })
	}
	if edges[n] < n || edges[2*n] > 2*edges[n]+n/4 {
		t.Errorf("%d edges for %d projects, %d for twice as many", edges[n], n, edges[2*n])
	}
	if asked[n] == 0 || asked[2*n] > 2*asked[n]+10 {
		t.Errorf("the disk is asked %d times for %d projects, %d times for twice as many", asked[n], n, asked[2*n])
	}
	if allocated[2*n] > 2.3*allocated[n] {
		t.Errorf("%v allocations for %d projects, %v for twice as many", allocated[n], n, allocated[2*n])
	}
}

// counter counts what is asked of a disk by readers.
type counter struct {
	fsys.FS
	asked atomic.Int64
}

func (c *counter) List(dir string) ([]fsys.Entry, error) {
	c.asked.Add(1)
	return c.FS.List(dir)
}

func (c *counter) ReadFile(name string, limit int64) ([]byte, fsys.Info, error) {
	c.asked.Add(1)
	return c.FS.ReadFile(name, limit)
}

func (c *counter) ReadStart(name string, into []byte) (int, bool, error) {
	c.asked.Add(1)
	return c.FS.ReadStart(name, into)
}

func (c *counter) Lstat(name string) (fsys.Info, error) {
	c.asked.Add(1)
	return c.FS.Lstat(name)
}

func (c *counter) StatInfo(name string) (fsys.Info, error) {
	c.asked.Add(1)
	return c.FS.StatInfo(name)
}

func (c *counter) RealPath(name string) (string, error) {
	c.asked.Add(1)
	return c.FS.RealPath(name)
}

// Bench times a reader on the disk of the machine, with 1,000 and 5,000 projects. It tells the best and the median time of a read and what
// all CPUs worked for it, in milliseconds: on a machine that others load only the last two say the same each time.
func Bench(b *testing.B, r infer.Reader, many Maker) {
	for _, n := range []int{1000, 5000} {
		b.Run(fmt.Sprintf("packages=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			for _, f := range many(n) {
				name := filepath.Join(dir, filepath.FromSlash(f.Name))
				err := os.MkdirAll(filepath.Dir(name), 0o777)
				if err == nil {
					err = os.WriteFile(name, f.Data, 0o666)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			machine, err := fsys.Host(dir)
			if err != nil {
				b.Fatal(err)
			}
			defer machine.Close()
			defer debug.SetGCPercent(debug.SetGCPercent(800)) // cmd/haz, too, collects nothing before 32 MiB
			b.ReportAllocs()
			var walls []time.Duration
			var user, system time.Duration
			for b.Loop() {
				runtime.GC() // each read is the first of its process
				userStart, systemStart := cpuTimes(b)
				start := time.Now()
				if found := infer.All(b.Context(), machine, r); len(found.Projects) < n || len(found.Edges) < n {
					b.Fatalf("%d projects, %d edges", len(found.Projects), len(found.Edges))
				}
				walls = append(walls, time.Since(start))
				userEnd, systemEnd := cpuTimes(b)
				user, system = user+userEnd-userStart, system+systemEnd-systemStart
			}
			slices.Sort(walls)
			for unit, d := range map[string]time.Duration{"best-ms": walls[0], "median-ms": walls[len(walls)/2],
				"user-ms": user / time.Duration(b.N), "sys-ms": system / time.Duration(b.N)} {
				b.ReportMetric(float64(d.Microseconds())/1000, unit)
			}
		})
	}
}

// cpuTimes are what this process has used of all CPUs.
func cpuTimes(b *testing.B) (user, system time.Duration) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano()), time.Duration(u.Stime.Nano())
}
