package haz_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/afero"
	"go.uber.org/goleak"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// Whatever a run was, no goroutine of it is left.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a workspace to run, in memory or on disk. Its tasks are written in the few words of shell that tinyShell knows, so
// that they mean the same with scripted processes and with real ones.
type world struct {
	fs      fsys.FS // rooted at the workspace
	dir     string  // host path of the workspace
	spawner *countingSpawner
	options []haz.Option
	mem     *memfs.FS // nil on other disks

	scripted bool // its processes are none of the machine
}

// inBoth runs a test in memory with scripted processes, on a disk of afero's as well, and on the real disk with real ones.
// Tests run at once: two hosts of haz in one process do not disturb each other.
func inBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) { t.Parallel(); test(t, inMemory(t)) })
	t.Run("afero", func(t *testing.T) { t.Parallel(); test(t, onAfero(t, afero.NewMemMapFs())) })
	t.Run("disk", func(t *testing.T) { t.Parallel(); test(t, onDisk(t)) })
}

func inMemory(t *testing.T) *world {
	t.Helper()
	mem := memfs.New()
	if err := mem.MkdirAll("/ws", 0o755); err != nil {
		t.Fatal(err)
	}
	return inTree(t, mem)
}

// inTree is the workspace /ws of a memory file system.
func inTree(t *testing.T, mem *memfs.FS) *world {
	t.Helper()
	w := inWorkspace(t, mem)
	w.mem = mem
	return w
}

// onAfero is the workspace /ws of a disk that knows nothing of haz.
func onAfero(t *testing.T, disk afero.Fs) *world {
	t.Helper()
	host := fsys.FromAfero(disk)
	if err := host.MkdirAll("/ws", 0o755); err != nil {
		t.Fatal(err)
	}
	return inWorkspace(t, host)
}

func inWorkspace(t *testing.T, host fsys.FS) *world {
	t.Helper()
	return inWorkspaceAt(t, host, "/ws")
}

func inWorkspaceAt(t *testing.T, host fsys.FS, dir string) *world {
	t.Helper()
	sub, err := host.Sub(dir)
	if err != nil {
		t.Fatal(err)
	}
	scripted := processtest.New(nil)
	scripted.Find = tinyShell(host)
	s := &countingSpawner{Spawner: scripted}
	return &world{fs: sub, dir: dir, spawner: s, scripted: true, options: []haz.Option{haz.WithFileSystem(host), haz.WithSpawner(s),
		haz.WithEnvironment([]string{"PATH=/bin"}), haz.WithPlatform("linux", "amd64"), haz.WithCPUs(4)}}
}

func onDisk(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	bin := t.TempDir()
	for name, script := range map[string]string{
		"await": "while [ ! -e \"$1\" ]; do sleep 0.005; done\n",
		"stay":  "exec sleep 60\n",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	ws, err := fsys.Host(real)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	s := &countingSpawner{Spawner: process.System(process.DefaultLimits)}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{fs: ws, dir: real, spawner: s, options: []haz.Option{haz.WithSpawner(s),
		haz.WithEnvironment([]string{"PATH=" + bin + ":/usr/bin:/bin"}), haz.WithCPUs(4)}}
}

// write makes files: pairs of name and text.
func (w *world) write(t *testing.T, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if err := w.fs.MkdirAll(filepath.Dir(pairs[i]), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := w.fs.OpenFile(pairs[i], os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(pairs[i+1]); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// has checks contents: pairs of name and text; a text of "absent" wants no such file.
func (w *world) has(t *testing.T, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		b, _, err := w.fs.ReadFile(pairs[i], 0)
		got := string(b)
		if err != nil {
			got = "absent"
			if _, lerr := w.fs.Lstat(pairs[i]); lerr == nil {
				got = err.Error()
			}
		}
		if got != pairs[i+1] {
			t.Errorf("%s holds %q, want %q", pairs[i], got, pairs[i+1])
		}
	}
}

func (w *world) remove(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := w.fs.RemoveAll(name); err != nil {
			t.Fatal(err)
		}
	}
}

// infos is what lstat says of everything outside of .haz; equal before and after means that nothing was touched.
func (w *world) infos(t *testing.T) map[string]fsys.Info {
	t.Helper()
	all := map[string]fsys.Info{}
	w.walk(t, "/", func(name string, info fsys.Info) {
		if name != "/" {
			all[name] = info
		}
	})
	return all
}

func (w *world) walk(t *testing.T, dir string, visit func(string, fsys.Info)) {
	t.Helper()
	info, err := w.fs.Lstat(dir)
	if err != nil {
		t.Fatal(err)
	}
	visit(dir, info)
	if info.Kind != fsys.Dir || dir == "/.haz" {
		return
	}
	list, err := w.fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		w.walk(t, strings.TrimSuffix(dir, "/")+"/"+e.Name, visit)
	}
}

// sameInfos wants the same files, none of them rewritten: kind, inode, size and times are equal.
func sameInfos(t *testing.T, before, after map[string]fsys.Info) {
	t.Helper()
	for name, b := range before {
		a, ok := after[name]
		if !ok {
			t.Errorf("%s is gone", name)
		} else if name != "/.haz" && (!a.Same(b) || a.Perm != b.Perm) {
			t.Errorf("%s was touched: %+v, before %+v", name, a, b)
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok {
			t.Errorf("%s is new", name)
		}
	}
}

// open opens the workspace for the length of the test.
func (w *world) open(t *testing.T, more ...haz.Option) *haz.Workspace {
	t.Helper()
	ws, err := haz.Open(context.Background(), w.dir, append(w.options[:len(w.options):len(w.options)], more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

// ran is a run that was checked: see checkRun.
type ran struct {
	*haz.Result
	events  []messages.Event
	started []string // labels of the processes, in the order of their starts
}

// run opens the workspace, runs tasks ("lib:compile", none: all), and checks what holds for every run.
func (w *world) run(t *testing.T, o haz.RunOptions, tasks ...string) *ran {
	t.Helper()
	return w.runWith(t, context.Background(), w.open(t), o, tasks...)
}

func (w *world) runWith(t *testing.T, ctx context.Context, ws *haz.Workspace, o haz.RunOptions, tasks ...string) *ran {
	t.Helper()
	targets := targetsOf(t, ws, tasks...)
	before := len(w.spawner.labels())
	var seen watch
	user := o.Observer
	o.Observer = func(e messages.Event) {
		seen.add(e)
		if user != nil {
			user(e)
		}
	}
	r, err := ws.Run(ctx, targets, o)
	if err != nil {
		t.Fatal(err)
	}
	got := &ran{Result: r, events: seen.all(t), started: w.spawner.labels()[before:]}
	checkRun(t, ws, targets, got)
	w.checkNothingLeft(t)
	return got
}

func targetsOf(t *testing.T, ws *haz.Workspace, tasks ...string) []int {
	t.Helper()
	s := haz.Selection{Workspace: len(tasks) == 0}
	for _, text := range tasks {
		ref, err := haz.ParseReference(text)
		if err != nil {
			t.Fatal(err)
		}
		s.References = append(s.References, ref)
	}
	selected, err := ws.Select(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return selected.Targets
}

// checkNothingLeft wants no process and no temporary thing after a run.
func (w *world) checkNothingLeft(t *testing.T) {
	t.Helper()
	if n := w.spawner.running(); n > 0 {
		t.Errorf("%d processes live after the run", n)
	}
	var look func(dir string)
	look = func(dir string) {
		list, err := w.fs.List(dir)
		if err != nil {
			return
		}
		for _, e := range list {
			if strings.Contains(e.Name, ".tmp-") || strings.HasPrefix(e.Name, "restore-") || strings.HasPrefix(e.Name, ".haz-restore-") || fsys.IsTemporary(e.Name) {
				t.Errorf("%s/%s is left after the run", dir, e.Name)
			}
			if e.Kind == fsys.Dir {
				look(dir + "/" + e.Name)
			}
		}
	}
	look("/")
}

// entries lists the manifests in the cache.
func (w *world) entries(t *testing.T) []string {
	t.Helper()
	var found []string
	shards, err := w.fs.List("/.haz/cache")
	if err != nil && !isNotExist(err) {
		t.Fatal(err)
	}
	for _, shard := range shards {
		if len(shard.Name) != 2 {
			continue
		}
		list, err := w.fs.List("/.haz/cache/" + shard.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			found = append(found, "/.haz/cache/"+shard.Name+"/"+e.Name)
		}
	}
	return found
}

func isNotExist(err error) bool {
	return os.IsNotExist(err) || strings.Contains(err.Error(), fs.ErrNotExist.Error())
}

// countingSpawner records what starts, and what lives at the same time.
type countingSpawner struct {
	process.Spawner
	mu      sync.Mutex
	started []string
	alive   map[string]int
	most    int
	// onStart is told, with the lock held, which processes live when one is about to start.
	onStart func(label string, alive map[string]int)
}

func (s *countingSpawner) Start(c process.Command, out process.Sink) (process.Process, error) {
	s.mu.Lock()
	if s.alive == nil {
		s.alive = map[string]int{}
	}
	if s.onStart != nil {
		s.onStart(c.Label, s.alive)
	}
	s.alive[c.Label]++
	s.most = max(s.most, s.livingLocked())
	s.mu.Unlock()
	p, err := s.Spawner.Start(c, out)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.alive[c.Label]--
		return nil, err
	}
	s.started = append(s.started, c.Label)
	return &countedProcess{Process: p, s: s, label: c.Label}, nil
}

func (s *countingSpawner) livingLocked() int {
	n := 0
	for _, k := range s.alive {
		n += k
	}
	return n
}

func (s *countingSpawner) running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.livingLocked()
}

func (s *countingSpawner) labels() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.started...)
}

type countedProcess struct {
	process.Process
	s     *countingSpawner
	label string
	once  sync.Once
}

func (p *countedProcess) Wait() process.Exit {
	e := p.Process.Wait()
	p.once.Do(func() {
		p.s.mu.Lock()
		p.s.alive[p.label]--
		p.s.mu.Unlock()
	})
	return e
}
