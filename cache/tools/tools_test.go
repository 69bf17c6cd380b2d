package tools

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// bed is a machine in memory, with the workspace /ws and the project /ws/p.
type bed struct {
	t  testing.TB
	fs *memfs.FS
	f  *Finder
}

func newBed(t testing.TB) *bed {
	b := &bed{t: t, fs: memfs.New()}
	b.must(b.fs.MkdirAll("/ws/p", 0o755))
	b.open(b.fs)
	return b
}

// open begins a run.
func (b *bed) open(host fsys.FS) {
	ws, err := host.Sub("/ws")
	b.must(err)
	st := state.Open(ws, digest.BLAKE3)
	st.OnMachine(host)
	b.f = New(Options{Host: host, Workspace: ws, Root: "/ws", State: st, Hash: digest.BLAKE3})
}

func (b *bed) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// write makes a file, of mode 755 unless it is told otherwise: "644:/usr/bin/cc".
func (b *bed) write(name, text string) {
	b.t.Helper()
	perm := fs.FileMode(0o755)
	if mode, rest, ok := strings.Cut(name, ":"); ok {
		name = rest
		_, err := fmt.Sscanf(mode, "%o", &perm)
		b.must(err)
	}
	b.must(b.fs.MkdirAll(path.Dir(name), 0o755))
	f, err := b.fs.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	b.must(err)
	_, err = f.Write([]byte(text))
	b.must(err)
	b.must(f.Close())
	b.must(b.fs.Chmod(name, perm))
}

func task(text string) *workspace.Task {
	t := &workspace.Task{ID: workspace.TaskID{Project: "p", Task: "t"}, Project: &workspace.Project{Name: "p", Dir: "/p"}}
	if argv, ok := strings.CutPrefix(text, "argv:"); ok {
		t.Kind, t.Argv = workspace.Command, strings.Fields(argv)
	} else {
		t.Kind, t.Shell, t.Script = workspace.Shell, "sh", text
	}
	return t
}

const usual = "/usr/local/bin:/usr/bin"

// find says of each tool where it was found, or what else is known of it.
func (b *bed) find(text string, env Env) string {
	b.t.Helper()
	list, err := b.f.Find(context.Background(), task(text), env)
	b.must(err)
	var out []string
	for _, t := range list {
		s := t.Name
		switch {
		case t.How == Absent:
			s += "=absent"
		case t.How == Unreadable:
			s += "=unreadable"
		case t.File != t.Name:
			s += "=" + t.File
		}
		if t.Inside() != "" {
			s += "(" + t.Inside() + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// CACHE-035: where programs are found.
func TestFind(t *testing.T) {
	b := newBed(t)
	for _, name := range []string{"/bin/sh", "/usr/bin/cc", "/usr/local/bin/cc", "/usr/bin/ld", "/opt/x/tool", "/sbin/ld", "/ws/p/run", "/ws/bin/gen", "644:/usr/local/bin/ld", "/usr/bin/env"} {
		b.write(name, "bytes of "+name)
	}
	b.write("/usr/bin/js", "#!/usr/bin/env node\n")
	b.write("/usr/bin/node", "node")
	b.write("/usr/bin/py", "#! /usr/bin/python3 -u\n")
	b.write("/usr/bin/python3", "python")
	b.write("/usr/bin/split", "#!/usr/bin/env -S node --flag\n")
	b.write("/usr/bin/chain", "#!/usr/bin/py\n")
	b.write("/usr/bin/self", "#!/usr/bin/self")
	b.write("/usr/bin/gone", "#!/usr/bin/nothing\n")
	b.must(b.fs.Symlink("../../opt/x/tool", "/usr/bin/tool"))
	b.must(b.fs.Symlink("nowhere", "/usr/local/bin/tool"))
	b.must(b.fs.MkdirAll("/usr/local/bin/run", 0o755))
	set := Env{Path: usual, Set: true}
	for _, c := range []struct {
		name, text string
		env        Env
		want       string
	}{
		{"first in PATH", "cc", set, "cc=/usr/local/bin/cc sh=absent"},
		{"not executable is passed over", "argv:ld", set, "ld=/usr/bin/ld"},
		{"links, and one that leads nowhere", "argv:tool", set, "tool=/usr/bin/tool"},
		{"a directory is none", "argv:run", set, "run=absent"},
		{"in another order", "argv:cc", Env{Path: "/usr/bin:/usr/local/bin", Set: true}, "cc=/usr/bin/cc"},
		{"no PATH: a command", "argv:ld", Env{}, "ld=/usr/bin/ld"},
		{"no PATH: a script", "ld; cc", Env{}, "cc=/usr/local/bin/cc ld=/usr/bin/ld sh=/bin/sh"},
		{"an empty PATH is the folder", "argv:run", Env{Path: "", Set: true}, "run=/ws/p/run(/p/run)"},
		{"an empty entry, too", "argv:run", Env{Path: "/usr/bin:", Set: true}, "run=/ws/p/run(/p/run)"},
		{"a relative entry", "argv:gen", Env{Path: "../bin", Set: true}, "gen=/ws/bin/gen(/bin/gen)"},
		{"by path", "argv:./run", set, "./run=/ws/p/run(/p/run)"},
		{"by path out of the project", "argv:../bin/gen", set, "../bin/gen=/ws/bin/gen(/bin/gen)"},
		{"by path out of the workspace", "argv:../../opt/x/tool", set, "../../opt/x/tool=/opt/x/tool"},
		{"by absolute path", "argv:/opt/x/tool", Env{}, "/opt/x/tool"},
		{"absolute, in the workspace", "argv:/ws/bin/gen", Env{}, "/ws/bin/gen(/bin/gen)"},
		{"interpreter", "argv:py", set, "/usr/bin/python3 py=/usr/bin/py"},
		{"interpreter by env", "argv:js", set, "/usr/bin/env js=/usr/bin/js node=/usr/bin/node"},
		{"interpreter by env -S", "argv:split", set, "/usr/bin/env node=/usr/bin/node split=/usr/bin/split"},
		{"interpreter of an interpreter", "argv:chain", set, "/usr/bin/py /usr/bin/python3 chain=/usr/bin/chain"},
		{"interpreter of itself", "argv:/usr/bin/self", set, "/usr/bin/self"},
		{"interpreter that is gone", "argv:gone", set, "/usr/bin/nothing=absent gone=/usr/bin/gone"},
		{"each once", "cc; /usr/bin/py; chain", set, "/usr/bin/py /usr/bin/python3 cc=/usr/local/bin/cc chain=/usr/bin/chain sh=absent"},
		{"asked for", "command -v ld nothing", set, "ld=/usr/bin/ld nothing=absent sh=absent"},
	} {
		for range 2 {
			if got := b.find(c.text, c.env); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
	}
}

// CACHE-035: two tasks with one script share what they start, unless it hangs on their folders.
func TestFolders(t *testing.T) {
	b := newBed(t)
	for _, name := range []string{"/bin/sh", "/usr/bin/cc", "/ws/p/run", "/ws/q/cc"} {
		b.write(name, "bytes of "+name)
	}
	for _, c := range []struct {
		text, path string
		shared     bool
	}{
		{"cc", "/bin:/usr/bin", true},
		{"cc", "/bin:.:/usr/bin", false},
		{"./run", "/bin", false},
		{"cc", "/bin:/ws/q", true}, // the same one, looked for by each
	} {
		find := func(dir string) []Tool {
			k := task(c.text)
			k.Project = &workspace.Project{Name: dir, Dir: "/" + dir}
			list, err := b.f.Find(context.Background(), k, Env{Path: c.path, Set: true})
			b.must(err)
			return list
		}
		same := slices.EqualFunc(find("p"), find("q"), func(a, b Tool) bool { return a.Same(&b) && a.File == b.File })
		if same != c.shared {
			t.Errorf("%s in %s: shared %v", c.text, c.path, same)
		}
	}
}

// CACHE-035: what of a program counts.
func TestDigests(t *testing.T) {
	find := func(b *bed, text string) Tool {
		list, err := b.f.Find(context.Background(), task(text), Env{Path: usual, Set: true})
		b.must(err)
		return list[0]
	}
	b := newBed(t)
	b.write("/usr/bin/cc", "one")
	first := find(b, "argv:cc")
	for _, c := range []struct {
		name   string
		change func()
		same   bool
	}{
		{"nothing", func() {}, true},
		{"written again", func() { b.write("/usr/bin/cc", "one") }, true},
		{"moved to another folder", func() { b.must(b.fs.Rename("/usr/bin/cc", "/usr/local/bin/cc")) }, true},
		{"a link to it", func() {
			b.write("/opt/cc-9", "one")
			b.must(b.fs.Remove("/usr/local/bin/cc"))
			b.must(b.fs.Symlink("/opt/cc-9", "/usr/local/bin/cc"))
		}, true},
		{"other bytes", func() { b.write("/opt/cc-9", "two") }, false},
		{"the link leads elsewhere", func() {
			b.write("/opt/cc-10", "one")
			b.must(b.fs.Remove("/usr/local/bin/cc"))
			b.must(b.fs.Symlink("/opt/cc-10", "/usr/local/bin/cc"))
		}, true},
		{"another one before it", func() {
			b.must(b.fs.Rename("/usr/local/bin/cc", "/usr/bin/cc"))
			b.write("/usr/local/bin/cc", "two")
		}, false},
		{"gone", func() { b.must(b.fs.Remove("/usr/local/bin/cc")); b.must(b.fs.Remove("/usr/bin/cc")) }, false},
		{"back", func() { b.write("/usr/bin/cc", "one") }, true},
	} {
		b.must(b.fs.MkdirAll("/usr/local/bin", 0o755))
		find(b, "cc x") // as it was is remembered
		c.change()
		b.f.Forget()
		now := find(b, "argv:cc")
		if now.Same(&first) != c.same {
			t.Errorf("%s: same %v, want %v", c.name, now.Same(&first), c.same)
		}
		if in := find(b, "cc x"); in.Name != "cc" || !in.Same(&now) {
			t.Errorf("%s: in a script it is %+v", c.name, in)
		}
		b.open(b.fs)
		if next := find(b, "argv:cc"); !next.Same(&now) {
			t.Errorf("%s: another run has another digest", c.name)
		}
	}
}

// locked is a file system in which a file cannot be read; it counts the files that are.
type locked struct {
	fsys.FS
	name  string
	reads map[string]int
}

func (l *locked) ReadFile(name string, limit int64) ([]byte, fsys.Info, error) {
	if name == l.name {
		return nil, fsys.Info{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	l.reads[name]++
	return l.FS.ReadFile(name, limit)
}

func (l *locked) ReadUnwritten(name string, limit int64) ([]byte, fsys.Info, bool, error) {
	if name == l.name {
		return nil, fsys.Info{}, false, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	l.reads[name]++
	return l.FS.ReadUnwritten(name, limit)
}

// CACHE-035: a program that may be executed and not read counts by its stat, and by the next one, which others are given.
func TestUnreadable(t *testing.T) {
	b := newBed(t)
	b.write("/usr/local/bin/su", "secret")
	b.write("/usr/bin/su", "other")
	host := &locked{b.fs, "/usr/local/bin/su", map[string]int{}}
	var seen []Tool
	for i, change := range []func(){
		func() {},
		func() {},
		func() { b.write("/usr/local/bin/su", "secret") },
		func() { b.write("/usr/bin/su", "another") },
		func() { b.must(b.fs.Remove("/usr/bin/su")) },
	} {
		change()
		b.open(host)
		list, err := b.f.Find(context.Background(), task("argv:su"), Env{Path: usual, Set: true})
		b.must(err)
		if list[0].How != Unreadable || list[0].File != "/usr/local/bin/su" {
			t.Errorf("%d: %+v", i, list[0])
		}
		for k := range seen {
			if same := seen[k].Same(&list[0]); same != (i == 1 && k == 0) {
				t.Errorf("%d is as %d: %v", i, k, same)
			}
		}
		seen = append(seen, list[0])
	}
}

// S-50: a program is read once, and in the next run not at all.
func TestReadOnce(t *testing.T) {
	b := newBed(t)
	b.write("/usr/bin/sh", "shell")
	b.write("/usr/bin/cc", "compiler")
	b.fs.Advance(time.Hour)
	host := &locked{FS: b.fs, reads: map[string]int{}}
	for run := range 3 {
		b.open(host)
		for i := range 50 {
			if i%10 == 0 {
				b.f.Forget()
			}
			b.find(fmt.Sprintf("cc %d", i), Env{Path: usual, Set: true})
		}
		if host.reads["/usr/bin/cc"] != 1 || host.reads["/usr/bin/sh"] != 1 {
			t.Errorf("run %d: read %v", run, host.reads)
		}
		b.f.o.State.Flush()
	}
	b.write("/usr/bin/cc", "another")
	b.open(host)
	if b.find("cc", Env{Path: usual, Set: true}); host.reads["/usr/bin/cc"] != 2 {
		t.Errorf("a replaced one was read %d times", host.reads["/usr/bin/cc"])
	}
}

// looking counts the looks at what a name leads to.
type looking struct {
	fsys.FS
	at map[string]int
}

func (l *looking) StatInfo(name string) (fsys.Info, error) {
	l.at[name]++
	return l.FS.StatInfo(name)
}

// S-66: a folder that has none of the programs is looked at once for all of them, and one that is not there, too.
func TestFoldersServeNames(t *testing.T) {
	b := newBed(t)
	for _, name := range []string{"/usr/bin/sh", "/usr/bin/cc", "/usr/bin/ld"} {
		b.write(name, "bytes of "+name)
	}
	b.must(b.fs.MkdirAll("/opt/none", 0o755))
	b.fs.Advance(time.Hour)
	host := &looking{b.fs, nil}
	b.open(host)
	env := Env{Path: "/opt/gone:/opt/none:/usr/bin", Set: true}
	const want = "cc=/usr/bin/cc ld=/usr/bin/ld sh=/usr/bin/sh"
	for i := range 4 {
		host.at = map[string]int{}
		if got := b.find("cc; ld", env); got != want {
			t.Fatal(got)
		}
		if i >= 2 && (len(host.at) != 5 || host.at["/opt/gone"] != 1 || host.at["/opt/none"] != 1 || host.at["/usr/bin/cc"] != 1) {
			t.Errorf("looked at %v", host.at)
		}
		b.f.Forget()
	}
}

// S-66: whatever comes into such a folder is seen: a program, the folder itself, and what comes within the tick of the clock in which the
// folder was made.
func TestFoldersThatChange(t *testing.T) {
	link := func(b *bed, to, name string) { b.must(b.fs.Symlink(to, name)) }
	for _, c := range []struct {
		name          string
		young, change func(b *bed)
		want          string
	}{
		{"a program", nil, func(b *bed) { b.write("/opt/none/cc", "x") }, "cc=/opt/none/cc"},
		{"the folder", nil, func(b *bed) { b.write("/opt/gone/cc", "x") }, "cc=/opt/gone/cc"},
		{"a link", nil, func(b *bed) { link(b, "/usr/bin/ld", "/opt/none/cc") }, "cc=/opt/none/cc"},
		{"a link to such a folder", nil, func(b *bed) { b.write("/opt/other/cc", "x"); link(b, "other", "/opt/gone") }, "cc=/opt/gone/cc"},
		{"another folder in its place", nil, func(b *bed) {
			b.write("/opt/other/cc", "x")
			b.must(b.fs.Remove("/opt/none"))
			b.must(b.fs.Rename("/opt/other", "/opt/none"))
		}, "cc=/opt/none/cc"},
		{"what a link leads to that led to nothing", func(b *bed) { link(b, "/opt/cc-9", "/opt/none/cc"); b.fs.Advance(time.Hour) },
			func(b *bed) { b.write("/opt/cc-9", "x") }, "cc=/opt/none/cc"},
		{"what may be executed now", func(b *bed) { b.write("644:/opt/none/cc", "x"); b.fs.Advance(time.Hour) },
			func(b *bed) { b.must(b.fs.Chmod("/opt/none/cc", 0o755)) }, "cc=/opt/none/cc"},
		{"at once", func(b *bed) { b.fs.SetStep(0); b.must(b.fs.MkdirAll("/opt/gone", 0o755)) },
			func(b *bed) { b.write("/opt/gone/cc", "x") }, "cc=/opt/gone/cc"},
	} {
		b := newBed(t)
		b.write("/usr/bin/cc", "cc")
		b.write("/usr/bin/ld", "ld")
		b.must(b.fs.MkdirAll("/opt/none", 0o755))
		b.fs.Advance(time.Hour)
		if c.young != nil {
			c.young(b)
		}
		env := Env{Path: "/opt/gone:/opt/none:/usr/bin", Set: true}
		for range 3 {
			if got := b.find("argv:cc", env); got != "cc=/usr/bin/cc" {
				t.Fatalf("%s: before it, %s", c.name, got)
			}
			b.f.Forget()
		}
		c.change(b)
		b.f.Forget()
		if got := b.find("argv:cc", env); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// What lies in the workspace is looked at each time: tasks write there.
func TestInsideIsNotKept(t *testing.T) {
	b := newBed(t)
	if got := b.find("argv:gen", Env{Path: "/ws/bin:/usr/bin", Set: true}); got != "gen=absent" {
		t.Errorf("%s", got)
	}
	b.write("/ws/bin/gen", "x")
	if got := b.find("argv:gen", Env{Path: "/ws/bin:/usr/bin", Set: true}); got != "gen=/ws/bin/gen(/bin/gen)" {
		t.Errorf("%s", got)
	}
}

// What the task itself makes is not among its tools, there or not, nor is what it is read by.
func TestOwn(t *testing.T) {
	b := newBed(t)
	own := task("argv:./made")
	p, err := pattern.Parse("made")
	b.must(err)
	own.Outputs = []workspace.PatternDecl{{Pattern: p.Anchor("/p")}}
	for range 2 {
		if list, err := b.f.Find(context.Background(), own, Env{Path: usual, Set: true}); err != nil || len(list) > 0 {
			t.Errorf("%+v, %v", list, err)
		}
		b.write("/ws/p/made", "#!/bin/sh\n")
	}
	if got := b.find("argv:./made", Env{Path: usual, Set: true}); got != "./made=/ws/p/made(/p/made) /bin/sh=absent" {
		t.Errorf("another task's: %s", got)
	}
}

// A run that was cancelled says so.
func TestCancelled(t *testing.T) {
	b := newBed(t)
	b.write("/usr/bin/cc", "x")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.f.Find(ctx, task("argv:cc"), Env{Path: usual, Set: true}); err != context.Canceled {
		t.Errorf("%v", err)
	}
}

func BenchmarkFind(b *testing.B) {
	for _, scripts := range []string{"equal", "different"} {
		b.Run("scripts="+scripts, func(b *testing.B) {
			bed := newBed(b)
			for _, name := range []string{"sh", "cat", "wc", "mkdir"} {
				bed.write("/usr/bin/"+name, name)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				text := "mkdir -p out && cat src/* > out/all\nwc out/all"
				if i++; scripts == "different" {
					text = fmt.Sprintf("%s # %d", text, i)
				}
				if _, err := bed.f.Find(context.Background(), task(text), Env{Path: usual, Set: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
