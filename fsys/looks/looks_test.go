package looks

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/packed"
)

// judge believes what is old enough.
type judge struct{ mem *memfs.FS }

func (j judge) Stamp() int64 { return j.mem.Now().UnixNano() }

func (j judge) Settled(_ Disk, _ string, info fsys.Info, stamp int64) (settled, ask bool) {
	return max(info.MTime, info.CTime) <= stamp-int64(2*time.Second), false
}

func put(t *testing.T, f fsys.FS, name, text string) {
	t.Helper()
	if err := f.MkdirAll(name[:max(1, strings.LastIndexByte(name, '/'))], 0o755); err != nil {
		t.Fatal(err)
	}
	if err := fsys.WriteFileAtomic(f, name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// disk has a bit of everything, all of it old.
func disk(t *testing.T) (*memfs.FS, Disks) {
	t.Helper()
	mem := memfs.New()
	mem.SetVolume(fsys.Volume{Dev: 1, Times: fsys.TimesExact, Mount: 3}, false)
	put(t, mem, "/ws/a/file", "text")
	put(t, mem, "/ws/b/other", "text")
	if err := mem.Symlink("a", "/ws/link"); err != nil {
		t.Fatal(err)
	}
	mem.Advance(time.Minute)
	root, err := mem.Sub("/ws")
	if err != nil {
		t.Fatal(err)
	}
	return mem, Disks{Host: mem, Root: root}
}

// recorded is what a look is kept as, proven where that can be.
func recorded(t *testing.T, mem *memfs.FS, d Disks, look func(host, root fsys.FS)) *List {
	t.Helper()
	r := NewRecorder("/.haz/state")
	look(r.Watch(Host, d[Host]), r.Watch(Root, d[Root]))
	l, ok := r.Looks()
	if !ok {
		t.Fatal("it is not kept")
	}
	if err := l.Prove(d, judge{mem}, nil); err != nil {
		t.Fatal(err)
	}
	return l
}

// What each look sees, and what makes it see something else: all of that is noticed, and what it does not see is not.
func TestSeen(t *testing.T) {
	type fs = fsys.FS
	for name, c := range map[string]struct {
		look   func(f fs)
		change func(f *memfs.FS)
		same   bool
	}{
		"lstat: gone":                 {func(f fs) { _, _ = f.Lstat("/a/file") }, func(f *memfs.FS) { _ = f.Remove("/ws/a/file") }, false},
		"lstat: came":                 {func(f fs) { _, _ = f.Lstat("/a/new") }, func(f *memfs.FS) { _ = f.Mkdir("/ws/a/new", 0o755) }, false},
		"lstat: another kind":         {func(f fs) { _, _ = f.Lstat("/link") }, func(f *memfs.FS) { _ = f.Remove("/ws/link"); _ = f.Mkdir("/ws/link", 0o777) }, false},
		"lstat: another mode":         {func(f fs) { _, _ = f.Lstat("/a/file") }, func(f *memfs.FS) { _ = f.Chmod("/ws/a/file", 0o600) }, false},
		"lstat: another folder":       {func(f fs) { _, _ = f.Lstat("/a") }, func(f *memfs.FS) { _ = f.Rename("/ws/a", "/ws/c"); _ = f.Rename("/ws/b", "/ws/a") }, false},
		"lstat: other bytes":          {func(f fs) { _, _ = f.Lstat("/a/file") }, func(f *memfs.FS) { put(t, f, "/ws/a/file", "longer text") }, true},
		"lstat: a file in the folder": {func(f fs) { _, _ = f.Lstat("/a") }, func(f *memfs.FS) { put(t, f, "/ws/a/new", "") }, true},
		"lstat: a link led elsewhere": {func(f fs) { _, _ = f.Lstat("/link") }, func(f *memfs.FS) { _ = f.Remove("/ws/link"); _ = f.Symlink("b", "/ws/link") }, true},
		"stat: a link led elsewhere":  {func(f fs) { _, _ = f.StatInfo("/link") }, func(f *memfs.FS) { _ = f.Remove("/ws/link"); _ = f.Symlink("b", "/ws/link") }, false},
		"stat: a link to nothing":     {func(f fs) { _, _ = f.StatInfo("/link") }, func(f *memfs.FS) { _ = f.Rename("/ws/a", "/ws/c") }, false},
		"stat: no folder on the way":  {func(f fs) { _, _ = f.StatInfo("/a/x/y") }, func(f *memfs.FS) { put(t, f, "/ws/a/x", "") }, false},
		"readlink":                    {func(f fs) { _, _ = f.Readlink("/link") }, func(f *memfs.FS) { _ = f.Remove("/ws/link"); _ = f.Symlink("b", "/ws/link") }, false},
		"readlink: no link":           {func(f fs) { _, _ = f.Readlink("/a") }, func(f *memfs.FS) { _ = f.Rename("/ws/a", "/ws/c"); _ = f.Symlink("c", "/ws/a") }, false},
		"real path":                   {func(f fs) { _, _ = f.RealPath("/link/file") }, func(f *memfs.FS) { _ = f.Rename("/ws/a", "/ws/c"); _ = f.Symlink("c", "/ws/a") }, false},
		"real path: outside": {func(f fs) { _, _ = f.RealPath("/link") }, func(f *memfs.FS) {
			_ = f.Remove("/ws/link")
			_ = f.Symlink("../x", "/ws/link")
			_ = f.Mkdir("/x", 0o755)
		}, false},
		"own path: came":                   {func(f fs) { _, _ = f.RealPath("/.haz/state") }, func(f *memfs.FS) { _ = f.MkdirAll("/ws/.haz/state", 0o755) }, true},
		"own path: came as a link":         {func(f fs) { _, _ = f.RealPath("/.haz/state") }, func(f *memfs.FS) { _ = f.MkdirAll("/ws/.haz", 0o755); _ = f.Symlink("../a", "/ws/.haz/state") }, false},
		"list: a name more":                {func(f fs) { _, _ = f.List("/a") }, func(f *memfs.FS) { put(t, f, "/ws/a/new", "") }, false},
		"list: a name less":                {func(f fs) { _, _ = f.List("/a") }, func(f *memfs.FS) { _ = f.Remove("/ws/a/file") }, false},
		"list: another kind":               {func(f fs) { _, _ = f.List("/a") }, func(f *memfs.FS) { _ = f.Remove("/ws/a/file"); _ = f.Mkdir("/ws/a/file", 0o755) }, false},
		"list: another folder of its name": {func(f fs) { _, _ = f.List("/a") }, func(f *memfs.FS) { _ = f.Rename("/ws/a", "/ws/c"); _ = f.Rename("/ws/b", "/ws/a") }, false},
		"list: other bytes in it":          {func(f fs) { _, _ = f.List("/a") }, func(f *memfs.FS) { put(t, f, "/ws/a/file", "more text") }, true},
		"list: none":                       {func(f fs) { _, _ = f.List("/c") }, func(f *memfs.FS) { _ = f.Mkdir("/ws/c", 0o755) }, false},
		"read: other bytes":                {func(f fs) { _, _, _ = f.ReadFile("/a/file", 10) }, func(f *memfs.FS) { put(t, f, "/ws/a/file", "tEXT") }, false},
		"read: a file of the same bytes":   {func(f fs) { _, _, _ = f.ReadFile("/a/file", 10) }, func(f *memfs.FS) { put(t, f, "/ws/a/file", "text") }, true},
		"read: too long":                   {func(f fs) { _, _, _ = f.ReadFile("/a/file", 3) }, func(f *memfs.FS) { put(t, f, "/ws/a/file", "te") }, false},
		"read: a folder":                   {func(f fs) { _, _, _ = f.ReadFile("/a", 3) }, func(f *memfs.FS) { _ = f.RemoveAll("/ws/a") }, false},
		"read: another mode":               {func(f fs) { _, _, _ = f.ReadFile("/a/file", 10) }, func(f *memfs.FS) { _ = f.Chmod("/ws/a/file", 0o600) }, true},
		"start: other bytes":               {func(f fs) { _, _, _ = f.ReadStart("/a/file", make([]byte, 2)) }, func(f *memfs.FS) { put(t, f, "/ws/a/file", "tEXT") }, false},
		"start: the rest":                  {func(f fs) { _, _, _ = f.ReadStart("/a/file", make([]byte, 2)) }, func(f *memfs.FS) { put(t, f, "/ws/a/file", "te, and more") }, true},
		"start: it is all":                 {func(f fs) { _, _, _ = f.ReadStart("/a/file", make([]byte, 2)) }, func(f *memfs.FS) { put(t, f, "/ws/a/file", "te") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			mem, d := disk(t)
			l := recorded(t, mem, d, func(_, root fsys.FS) { c.look(root) })
			if ok, read := l.Seen(d, false); !ok || read != 0 {
				t.Fatalf("nothing changed: seen %t, and %d contents were read", ok, read)
			}
			c.change(mem)
			if ok, _ := l.Seen(d, false); ok != c.same {
				t.Errorf("after the change it is the same: %t", ok)
			}
		})
	}
}

// What is too young is compared by its bytes, and proven later; a stat that came back on another mount proves nothing, and nor does any
// where the list was not made by who reads it.
func TestProof(t *testing.T) {
	mem, d := disk(t)
	put(t, mem, "/ws/a/young", "1")
	look := func(_, root fsys.FS) {
		for _, name := range []string{"/a/file", "/a/young"} {
			_, _, _ = root.ReadFile(name, 0)
		}
	}
	l := recorded(t, mem, d, look)
	want := func(when string, proven, wantOK bool, wantRead int) {
		t.Helper()
		if ok, read := l.Seen(d, proven); ok != wantOK || read != wantRead {
			t.Errorf("%s: seen %t, and %d contents were read", when, ok, read)
		}
	}
	want("one is young", false, true, 1)
	if ok, _ := l.Seen(d, true); ok {
		t.Error("what is young is proven")
	}
	mem.Advance(time.Minute)
	if err := l.Prove(d, judge{mem}, l); err != nil {
		t.Fatal(err)
	}
	want("all are old", false, true, 0)
	want("all are old, and must be proven", true, true, 0)
	mem.SetVolume(fsys.Volume{Dev: 1, Times: fsys.TimesExact, Mount: 4}, false)
	want("on another mount", false, true, 2)
	put(t, mem, "/ws/a/young", "2")
	if err := l.Prove(d, judge{mem}, nil); !errors.Is(err, errChanged) {
		t.Errorf("other bytes are proven: %v", err)
	}
	if ok, _ := new(List).Seen(d, true); ok {
		t.Error("no proof at all is one")
	}
}

// What is no look, or sees two things at one name, spoils the list.
func TestSpoiled(t *testing.T) {
	for name, do := range map[string]func(f, under fsys.FS){
		"open":        func(f, _ fsys.FS) { _, _ = f.Open("/a/file") },
		"a sub":       func(f, _ fsys.FS) { _, _ = f.Sub("/a") },
		"a directory": func(f, _ fsys.FS) { _ = f.Mkdir("/x", 0o755) },
		"two texts": func(f, under fsys.FS) {
			_, _, _ = f.ReadFile("/a/file", 0)
			_ = under.Remove("/a/file")
			_, _, _ = f.ReadFile("/a/file", 0)
		},
		"a closed disk": func(f, _ fsys.FS) { _ = f.Close(); _, _ = f.Lstat("/a") },
	} {
		_, d := disk(t)
		r := NewRecorder()
		do(r.Watch(Root, d[Root]), d[Root])
		if _, ok := r.Looks(); ok {
			t.Errorf("%s: it is kept", name)
		}
	}
}

// Nothing that FS has goes by a Recorder: each method is one of its own, and one that could change something changes nothing.
func TestWatchesEverything(t *testing.T) {
	watcher, all := reflect.TypeFor[*watched](), reflect.TypeFor[fsys.FS]()
	if watcher.Elem().NumField() != 3 {
		t.Error("a field more: nothing may be embedded")
	}
	quiet := map[string]bool{"Name": true, "HostPath": true, "Close": true}
	for i := range all.NumMethod() {
		m := all.Method(i)
		if quiet[m.Name] {
			continue
		}
		mem, d := disk(t)
		before := tell(t, mem)
		r := NewRecorder()
		call := reflect.ValueOf(r.Watch(Root, d[Root])).MethodByName(m.Name)
		var args []reflect.Value
		for j := range m.Type.NumIn() {
			arg := reflect.New(m.Type.In(j)).Elem()
			switch arg.Kind() {
			case reflect.String:
				arg.SetString([]string{"/a/file", "/new"}[min(j, 1)])
			case reflect.Slice:
				arg.Set(reflect.MakeSlice(arg.Type(), 3, 3))
			case reflect.Interface:
				arg.Set(reflect.ValueOf(d[Root]))
			}
			args = append(args, arg)
		}
		call.Call(args)
		if l, ok := r.Looks(); ok && l.Len() != 1 {
			t.Errorf("%s: no look is kept of it, and it is not refused", m.Name)
		}
		if after := tell(t, mem); after != before {
			t.Errorf("%s changed something:\n%s\n%s", m.Name, before, after)
		}
	}
}

func tell(t *testing.T, f fsys.FS) (text string) {
	t.Helper()
	for _, name := range []string{"/ws", "/ws/a", "/ws/a/file", "/ws/new", "/ws/a/new"} {
		info, err := f.Lstat(name)
		text += name + " " + info.FileMode().String() + " " + time.Unix(0, info.MTime).String()
		if err != nil {
			text += " " + err.Error()
		}
		text += "\n"
	}
	return text
}

// A list comes back as it was, and what is none is not believed.
func TestPack(t *testing.T) {
	mem, d := disk(t)
	put(t, mem, "/ws/young", "")
	l := recorded(t, mem, d, func(host, root fsys.FS) {
		for _, f := range []fsys.FS{host, root} {
			for _, name := range []string{"/a", "/a/file", "/ws", "/link", "/nothing", "/young"} {
				_, _ = f.Lstat(name)
				_, _ = f.StatInfo(name)
				_, _ = f.Readlink(name)
				_, _ = f.RealPath(name)
				_, _ = f.List(name)
				_, _, _ = f.ReadFile(name, 7)
				_, _, _ = f.ReadStart(name, make([]byte, 2))
			}
		}
	})
	for i := range l.looks {
		l.looks[i].proven.Perm, l.looks[i].proven.Nlink = 0, 0 // nobody compares them
	}
	c := packed.Write()
	l.Pack(c)
	back := &List{}
	r := packed.Read(string(c.Bytes()))
	if back.Pack(r); !r.Ended() || !reflect.DeepEqual(l, back) || l.Len() < 50 {
		t.Errorf("%d looks came back as %+v", l.Len(), back)
	}
	l.looks[0], l.looks[1] = l.looks[1], l.looks[0]
	c = packed.Write()
	l.Pack(c)
	if r := packed.Read(string(c.Bytes())); true {
		if new(List).Pack(r); r.Ended() {
			t.Error("looks in another order are believed")
		}
	}
}
