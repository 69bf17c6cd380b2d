package haz

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

// withProgram makes haz take itself for another program.
func withProgram(name string) Option {
	return func(o *options) { o.program = func() string { return name } }
}

// finish does for an open workspace what the end of a run does.
func (w *Workspace) finish() {
	st := state.Open(w.FS, digest.BLAKE3)
	w.compiled.keep(w, st)
	st.Flush()
}

// recalled reports whether a workspace was opened without loading it.
func (w *Workspace) recalled() bool { return w.compiled != nil && w.compiled.recorder == nil }

// came is what opening came to: all of a workspace, or what is wrong with it.
func came(w *Workspace, err error) string {
	if err != nil {
		return err.Error()
	}
	return string(pack(w.W, w.G))
}

// editing goes at random from one workspace to the next.
type editing struct {
	t    *testing.T
	rng  *rand.Rand
	host fsys.FS
	root string
	mem  *memfs.FS // nil on a real disk
	old  []byte    // a state file of an earlier time

	wrong bool // it could not be opened
}

func (e *editing) pick(list ...string) string { return list[e.rng.IntN(len(list))] }

func (e *editing) name(list ...string) string { return path.Join(e.root, e.pick(list...)) }

// write makes a text the content of a file, in one of the ways in which editors do.
func (e *editing) write(name, text string) {
	_ = e.host.MkdirAll(path.Dir(name), 0o755)
	was, err := e.host.StatInfo(name)
	if e.rng.IntN(3) == 0 {
		_ = fsys.WriteFileAtomic(e.host, name, []byte(text), 0o644)
	} else if f, err := e.host.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644); err == nil {
		_, _ = f.Write([]byte(text))
		_ = f.Close()
	}
	if err == nil && e.rng.IntN(2) == 0 { // as touch -r does
		at := time.Unix(0, was.MTime)
		_ = e.host.Chtimes(name, at, at)
	}
}

// Texts of one length each, so that nothing but the bytes tells one from the other.
func (e *editing) workspaceText() string {
	return fmt.Sprintf("projects: [%s, /lone]\n%s", e.pick("/p/*", "/p/*", "/q/*", "/p/a"), e.pick("", "concurrency: {default: 3}\n", "files: {x: [y]}\n", "concurrency: {default: 4}\n"))
}

func (e *editing) projectText(name string) string {
	return fmt.Sprintf("name: %s\ntags: [%s]\ntasks:\n  %s: {command: [echo, %c], inputs: [%s], outputs: [out/%c]}\n  lint: {command: [\"true\"], deps: [%s]}\n",
		name, e.pick("g", "h"), e.pick("build", "build", "build", "all"), 'a'+rune(e.rng.IntN(3)), e.pick("src/**", `"*.c"`, "$project"), 'a'+rune(e.rng.IntN(2)), e.pick(`"^~:lint?"`, `"^:build"`, `"~:fmt?"`))
}

func (e *editing) overlayText() string {
	return fmt.Sprintf("tagsFilter: [%s]\ntasks:\n  fmt: {command: [fmt, %c]}\n", e.pick("g", "h"), 'a'+rune(e.rng.IntN(3)))
}

// edit changes something.
func (e *editing) edit() {
	folders := []string{"p/a", "p/b", "q/a", "lone", "p/c"}
	switch e.rng.IntN(18) {
	case 16, 17: // nothing
	case 0:
		e.write(e.root+"/.haz/workspace.yml", e.workspaceText())
	case 1, 2, 3, 4:
		at := e.pick(folders...)
		e.write(path.Join(e.root, at, layout.ProjectFile), e.projectText(strings.ReplaceAll(at, "/", "")))
	case 5:
		e.write(e.name(".haz/tasks/one.yml", ".haz/tasks/two.yml"), e.overlayText())
	case 6:
		_ = e.host.Remove(e.name(".haz/tasks/one.yml", "p/c/haz.yml", "p/b/haz.yml", "stray/haz.yml", "p/a/deep/haz.yml"))
	case 7: // folders change places
		a, b, c := e.name(folders...), e.name(folders...), e.root+"/aside"
		_ = e.host.Rename(a, c)
		_ = e.host.Rename(b, a)
		_ = e.host.Rename(c, b)
	case 8: // a link in the place of a folder, or one that leads elsewhere
		at := e.name("p/c", "p/b", "q/a")
		_ = e.host.RemoveAll(at)
		_ = e.host.Symlink(e.pick("../lone", "a", "/nowhere", "../p/a", "../../outside"), at)
	case 9: // what is no project of anybody
		e.write(e.name("stray/haz.yml", "p/a/deep/haz.yml", "p/a/deep/er/haz.yml"), e.projectText("stray"))
	case 10:
		_ = e.host.MkdirAll(e.name("p/a/.git", "stray/.git", "p/b/.haz", "empty"), 0o755)
	case 11:
		_ = e.host.RemoveAll(e.name("p/a/.git", "stray/.git", "p/b", "q/a", "p/c"))
	case 12:
		_ = e.host.Chtimes(e.name("p/a/haz.yml", ".haz/workspace.yml", "p"), time.Now(), time.Now())
	case 13:
		e.write(e.name("p/a/src/x.c", "p/notes.txt", "out.txt"), e.pick("one", "two"))
	case 14:
		e.write(e.name("p/a/haz.yml", ".haz/workspace.yml"), e.pick("name: [\n", "nome: x\n", "projects: [/p/a]\n"))
	case 15:
		e.damage()
	}
}

// damage does to the state file what disks, versions of haz and backups do.
func (e *editing) damage() {
	name := path.Join(e.root, layout.StateDir, compiledName)
	data, _, err := e.host.ReadFile(name, 0)
	if err != nil || len(data) < 200 {
		return
	}
	put := func(data []byte) {
		if err := fsys.WriteFileAtomic(e.host, name, data, 0o600); err != nil {
			e.t.Fatal(err)
		}
	}
	switch e.rng.IntN(5) {
	case 0:
		put(data[:e.rng.IntN(len(data))])
	case 1:
		data[e.rng.IntN(len(data))] ^= 1 << e.rng.IntN(8)
		put(data)
	case 2:
		e.old = data
	case 3:
		if e.old != nil {
			put(e.old)
		}
	case 4:
		_ = e.host.RemoveAll(path.Join(e.root, layout.StateDir))
	}
}

// step edits, and opens both ways. It reports whether the workspace was recalled.
func (e *editing) step(replay string) bool {
	if e.wrong && e.rng.IntN(2) == 0 {
		e.begin() // it would stay so
	}
	for range e.rng.IntN(3) {
		e.edit()
	}
	if e.mem != nil && e.rng.IntN(2) == 0 {
		e.mem.Advance(time.Duration(e.rng.IntN(3500)) * time.Millisecond)
	}
	start := path.Join(e.root, e.pick("", "", "", "p/a", "p/a/deep/er", "stray"))
	if _, err := e.host.StatInfo(start); err != nil {
		start = e.root
	}
	opts := []Option{withProgram(e.pick("one", "one", "one", "two"))}
	if e.mem != nil {
		opts = append(opts, WithFileSystem(e.host), WithEnvironment([]string{}))
	}
	if e.rng.IntN(4) == 0 {
		opts = append(opts, WithForgivenManifests())
	}
	w, err := Open(e.t.Context(), start, opts...)
	long, longErr := Open(e.t.Context(), start, append(opts, WithoutShortcuts())...)
	if got, want := came(w, err), came(long, longErr); got != want {
		e.t.Fatalf("opened with shortcuts it is\n%.2000q\n\nand without\n%.2000q\n%s", got, want, replay)
	}
	_ = long.Close()
	recalled := false
	if e.wrong = err != nil; err == nil {
		if recalled = w.recalled(); e.rng.IntN(3) > 0 {
			w.finish()
		}
		if err := w.Close(); err != nil {
			e.t.Fatal(err)
		}
	}
	return recalled
}

// begin makes a workspace in which nothing is wrong.
func (e *editing) begin() {
	for _, at := range []string{"p/b", "p/c", "q", "p/a/.git"} {
		_ = e.host.RemoveAll(path.Join(e.root, at))
	}
	e.write(e.root+"/.haz/workspace.yml", "projects: [/p/*, /lone]\n")
	for _, at := range []string{"p/a", "p/b", "lone"} {
		e.write(path.Join(e.root, at, layout.ProjectFile), e.projectText(strings.ReplaceAll(at, "/", "")))
	}
}

// Whatever happens to the files of a workspace, to folders, links and the state file, it is opened as if there was no state file (haz::cfg::069), also
// where the clock of the disk stands still from one edit to the next. HAZ_SEEDS=N tries so many sequences of twelve, HAZ_SEED=S begins with that one.
func TestCompiledIsWhatLoadingComesTo(t *testing.T) {
	first, sequences := 1, 1000
	if testing.Short() {
		sequences = 200
	}
	for name, to := range map[string]*int{"HAZ_SEED": &first, "HAZ_SEEDS": &sequences} {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			*to = n
		}
	}
	const parts = 4
	for part := range parts {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			steps, recalled := 0, 0
			for seed := first + part; seed < first+sequences; seed += parts {
				mem := memfs.New()
				mem.SetVolume(fsys.Volume{Dev: 1, Times: []fsys.Times{fsys.TimesExact, fsys.TimesMarked, fsys.TimesLoose, fsys.TimesExact}[seed%4]}, false)
				if seed%3 > 0 {
					mem.SetGranularity(time.Second)
				}
				e := &editing{t: t, rng: rand.New(rand.NewPCG(uint64(seed), 5)), host: mem, root: "/ws", mem: mem}
				e.begin()
				for range 12 {
					steps++
					if e.step(fmt.Sprintf("replay: HAZ_SEED=%d HAZ_SEEDS=1 go test -run TestCompiledIsWhatLoadingComesTo .", seed)) {
						recalled++
					}
				}
			}
			if steps > 500 && (recalled < steps/8 || recalled > steps*7/8) {
				t.Errorf("%d of %d times it was recalled: that tells little", recalled, steps)
			}
		})
	}
}

// The same on the disk of the machine, whose clock nobody sets.
func TestCompiledOnDisk(t *testing.T) {
	t.Parallel()
	n := 20
	if testing.Short() {
		n = 4
	}
	for seed := range n {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		e := &editing{t: t, rng: rand.New(rand.NewPCG(uint64(seed), 6)), host: fsys.Machine(), root: path.Join(filepath.ToSlash(dir), "ws")}
		e.begin()
		for range 30 {
			e.step("")
		}
	}
}

// compiledWorld is a small workspace on a memory disk whose clock the test sets, compiled when it was old.
func compiledWorld(t *testing.T) (mem *memfs.FS, open func(opts ...Option) *Workspace) {
	t.Helper()
	mem = memfs.New()
	mem.SetVolume(fsys.Volume{Dev: 1, Times: fsys.TimesExact, Mount: 7, Super: 8}, false)
	e := &editing{t: t, rng: rand.New(rand.NewPCG(1, 1)), host: mem, root: "/ws", mem: mem}
	e.begin()
	mem.Advance(time.Minute)
	open = func(opts ...Option) *Workspace {
		t.Helper()
		w, err := Open(context.Background(), "/ws", append([]Option{WithFileSystem(mem), WithEnvironment([]string{})}, opts...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Close() })
		return w
	}
	open().finish()
	if w := open(); !w.recalled() || w.compiled.read != 0 {
		t.Fatalf("an old workspace is not recalled by its stats: %t, %d contents were read", w.recalled(), w.compiled.read)
	}
	return mem, open
}

// What tells that nothing changed is read only where times do not tell it (haz::cfg::072).
func TestCompiledReadsWhatIsYoung(t *testing.T) {
	mem, open := compiledWorld(t)
	now := mem.Now()
	if err := mem.Chtimes("/ws/p/a/haz.yml", now, now); err != nil {
		t.Fatal(err)
	}
	w := open()
	if !w.recalled() || w.compiled.read != 1 {
		t.Errorf("after a touch: recalled %t, %d contents were read", w.recalled(), w.compiled.read)
	}
	w.finish() // it is young still
	if w := open(); w.compiled.read != 1 {
		t.Errorf("while it is young: %d contents were read", w.compiled.read)
	}
	mem.Advance(time.Minute)
	open().finish()
	if w := open(); !w.recalled() || w.compiled.read != 0 {
		t.Errorf("when it is old: recalled %t, %d contents were read", w.recalled(), w.compiled.read)
	}
}

// Where a file system was mounted anew, bytes may be others under a stat that came back: all is read.
func TestCompiledOnAnotherMount(t *testing.T) {
	mem, open := compiledWorld(t)
	mem.SetVolume(fsys.Volume{Dev: 1, Times: fsys.TimesExact, Mount: 9, Super: 10}, false)
	if w := open(); !w.recalled() || w.compiled.read < 5 {
		t.Errorf("recalled %t, %d contents were read", w.recalled(), w.compiled.read)
	}
}

// A file that somebody holds mapped changes without a sign.
func TestCompiledOfAMappedFile(t *testing.T) {
	mem := memfs.New()
	mem.SetVolume(fsys.Volume{Dev: 1, Times: fsys.TimesMarked}, false)
	e := &editing{t: t, rng: rand.New(rand.NewPCG(1, 1)), host: mem, root: "/ws", mem: mem}
	e.begin()
	mem.Advance(time.Minute)
	m, err := mem.Map("/ws/lone/haz.yml")
	if err != nil {
		t.Fatal(err)
	}
	write := func(letter string) {
		if _, err := m.WriteAt([]byte(letter), int64(len("name: lon"))); err != nil {
			t.Fatal(err)
		}
	}
	write("g") // the page is writable without a sign from here on
	mem.Advance(10 * time.Second)
	open := func() *Workspace {
		w, err := Open(t.Context(), "/ws", WithFileSystem(mem), WithEnvironment([]string{}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Close() })
		return w
	}
	open().finish()
	write("x")
	if w := open(); w.W.Project("lonx") == nil {
		t.Error("the text of a moment ago is believed")
	}
}

// Commands that only look write nothing (I18), and a state that cannot be written to is no trouble.
func TestCompiledIsWrittenByRunsAlone(t *testing.T) {
	mem := memfs.New()
	e := &editing{t: t, rng: rand.New(rand.NewPCG(1, 1)), host: mem, root: "/ws", mem: mem}
	e.begin()
	w, err := Open(t.Context(), "/ws", WithFileSystem(mem), WithEnvironment([]string{}))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := mem.Lstat("/ws/.haz/state"); err == nil {
		t.Error("opening made a state")
	}
	st := state.OpenReadOnly(w.FS, digest.BLAKE3)
	w.compiled.keep(w, st)
	if _, err := mem.Lstat("/ws/.haz/state"); err == nil || len(st.Trouble()) > 0 {
		t.Errorf("a state that is only read was written to, or that is trouble: %q", st.Trouble())
	}
}

// Another program believes nothing of what this one wrote.
func TestCompiledByAnotherProgram(t *testing.T) {
	_, open := compiledWorld(t)
	if w := open(withProgram("another one")); w.recalled() {
		t.Error("it is believed")
	}
	if w := open(WithoutShortcuts()); w.compiled != nil {
		t.Error("it is a shortcut")
	}
}

// What was loaded by who forgives manifests their mistakes is not kept; where there are none, it makes no difference.
func TestCompiledForgives(t *testing.T) {
	mem, open := compiledWorld(t)
	put := func(name, text string) {
		if err := fsys.WriteFileAtomic(mem, name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if w := open(WithForgivenManifests()); !w.recalled() {
		t.Error("what has no mistakes is loaded again")
	}
	put("/ws/.haz/workspace.yml", "projects: [/p/*, /lone]\ninfer: [node]\n")
	put("/ws/package.json", "{")
	mem.Advance(time.Minute)
	open(WithForgivenManifests()).finish()
	if w := open(WithForgivenManifests()); w.recalled() {
		t.Error("a workspace of which a part is missing is kept")
	}
	if w, err := Open(t.Context(), "/ws", WithFileSystem(mem), WithEnvironment([]string{})); err == nil {
		_ = w.Close()
		t.Error("a mistake is forgiven that was not to be")
	}
}
