package tools

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/script"
)

// searchPath is a PATH, and what was found in it wherever the task runs.
type searchPath struct {
	dirs     []string
	absolute bool     // all of them are
	found    sync.Map // name → *result
}

func (f *Finder) path(text string) *searchPath {
	if known, ok := f.paths.Load(text); ok {
		return known.(*searchPath)
	}
	p := &searchPath{dirs: strings.Split(text, ":")}
	p.absolute = !slices.ContainsFunc(p.dirs, func(dir string) bool { return !path.IsAbs(dir) })
	f.keep(&f.paths, text, p)
	return p
}

// isAbsolute reports whether a name leads to the same file in every folder.
func (p *searchPath) isAbsolute(name string) bool {
	if strings.Contains(name, "/") {
		return path.IsAbs(name)
	}
	return p.absolute
}

// result is the answer, with all that it hangs on.
type result struct {
	era   uint64
	looks []look
	tools []Tool // the program, then its interpreters

	byFolder bool // folders were asked for
}

// look is what was seen of a name.
type look struct {
	place place
	info  fsys.Info // zero: no file that may be executed
	// in is the folder of a name that nobody has in it, and that nobody will have while the folder looks as it does. Where that is
	// not known, it is nil.
	in *folder
}

// folder is what was seen of a folder.
type folder struct {
	place place
	info  fsys.Info // zero: there is none
}

// glimpse is what was seen of a folder last.
type glimpse struct {
	era  uint64 // whatever ran before has ended before
	info fsys.Info
	err  error
}

// place is a name and the file system that it is looked at in.
type place struct {
	inside bool   // in that of the workspace
	name   string // there
}

// search is where a name leads, for a task: from memory, if what was seen is as it was. What the task itself makes is none of it: it is
// there, or not, for the next run. kept says that it leads there for every task, and that this is remembered.
func (f *Finder) search(ctx context.Context, t *workspace.Task, name string, p *searchPath) (list []Tool, kept bool, err error) {
	era, relative := f.era.Load(), !p.isAbsolute(name)
	if !relative {
		if known, ok := p.found.Load(name); ok {
			r := known.(*result)
			if r.era == era {
				return r.tools, true, nil
			}
			if again := r.again(f, era); again != nil {
				p.found.Store(name, again)
				return r.tools, true, nil
			}
		}
	}
	r := &result{era: era}
	s := &search{f: f, path: p, dir: t.Project.Dir, r: r, own: t.Writes, relative: relative}
	if err := s.follow(ctx, name, 0); err != nil {
		return nil, false, err
	}
	// What lies in the workspace may be another at any moment.
	if kept = !s.relative && !slices.ContainsFunc(r.looks, func(l look) bool { return l.place.inside }); kept {
		f.keep(&p.found, name, r)
	}
	return r.tools, kept, nil
}

// again is the result of a later era, when all that was seen is as it was; else nil.
//
// A PATH is long, and most of its folders have none of the programs that are looked for: of these one look at the folder serves all names.
// Which they are is found out the first time, not in a run that looks once.
func (r *result) again(f *Finder, era uint64) *result {
	now := &result{era: era, tools: r.tools, looks: r.looks, byFolder: true}
	if !r.byFolder {
		now.looks = slices.Clone(r.looks)
	}
	for i := range now.looks {
		l := &now.looks[i]
		if !r.byFolder && l.info.Kind == fsys.Unknown {
			l.in = f.without(l.place)
		}
		if l.in != nil {
			if f.seenAgain(l.in, era) {
				continue
			}
			return nil
		}
		if info := f.look(l.place); !info.Same(l.info) || info.Perm != l.info.Perm {
			return nil
		}
	}
	return now
}

// seenAgain reports whether a folder looks as it did, seen after all that had ended when the era began.
func (f *Finder) seenAgain(in *folder, era uint64) bool {
	var now *glimpse
	if known, ok := f.folders.Load(in.place); ok {
		now = known.(*glimpse)
	}
	if now == nil || now.era < era {
		info, err := f.disk(in.place).StatInfo(in.place.name)
		now = &glimpse{era, info, err}
		f.keep(&f.folders, in.place, now)
	}
	if in.info.Kind == fsys.Unknown {
		return errors.Is(now.err, fs.ErrNotExist)
	}
	return now.err == nil && now.info.Same(in.info)
}

// without is the folder of a name that is not there, if a look at it will tell that the name is not there still: the folder is missing, or
// both its times are old enough that whoever puts something into it leaves others.
func (f *Finder) without(at place) *folder {
	in := place{at.inside, path.Dir(at.name)}
	stamp := f.o.State.Stamp()
	info, err := f.disk(in).StatInfo(in.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &folder{place: in}
	case err != nil || info.Kind != fsys.Dir:
		return nil
	}
	if settled, _ := f.o.State.Settled(f.indexed(in), info, stamp); !settled {
		return nil
	}
	if _, err = f.disk(at).Lstat(at.name); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &folder{in, info}
}

// maxInterpreters is how many scripts may stand between a program and the one that the kernel starts.
const maxInterpreters = 4

// search is one that looks at the disk.
type search struct {
	f    *Finder
	path *searchPath
	dir  string // in the workspace
	r    *result

	own func(name string) bool // whether the task itself makes a file of the workspace

	relative bool // the folder counts
	owns     bool // the program that was looked for last is its own
}

// follow looks for a program, and for the interpreters of a script.
func (s *search) follow(ctx context.Context, name string, depth int) error {
	s.owns = false
	t, at, err := s.find(ctx, name)
	if err != nil || s.owns {
		return err
	}
	s.r.tools = append(s.r.tools, t)
	if t.How != Bytes || depth == maxInterpreters {
		return nil
	}
	for _, next := range interpreters(s.f.head(at)) {
		if next != name {
			s.relative = s.relative || !s.path.isAbsolute(next)
			if err := s.follow(ctx, next, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// find looks for one program as execvp does. What may be executed and not read is passed over as well as counted: who may not
// execute it, but its owner may, is given the next one.
func (s *search) find(ctx context.Context, name string) (Tool, place, error) {
	f, t := s.f, Tool{Name: name}
	var passed []byte // what cannot be read
	for _, c := range s.candidates(name) {
		at := f.place(c)
		info := f.look(at)
		s.r.looks = append(s.r.looks, look{place: at, info: info})
		found := info.Kind != fsys.Unknown
		if at.inside && t.File == "" && (found || strings.Contains(name, "/")) {
			t.inside = at.name // of a name with a slash also when nothing is there yet
			if s.own(at.name) {
				s.owns = true
				return t, at, nil
			}
		}
		if !found {
			continue
		}
		if t.File == "" {
			t.File = path.Clean(c)
		}
		read, err := f.o.State.Digest(ctx, f.indexed(at), info)
		switch {
		case ctx.Err() != nil:
			return t, at, ctx.Err()
		case err == nil && passed == nil:
			t.How, t.Digest = Bytes, read.Digest
			return t, at, nil
		case err == nil:
			t.How, t.Digest = Unreadable, hasher.Sum(f.o.Hash, append(passed, read.Digest[:]...))
			return t, at, nil
		}
		passed = appendStat(passed, info)
		t.How, t.Digest = Unreadable, hasher.Sum(f.o.Hash, passed)
	}
	return t, place{}, nil
}

// candidates are the names on the host that are tried for a program.
func (s *search) candidates(name string) []string {
	list := []string{name}
	if !strings.Contains(name, "/") {
		list = make([]string, 0, len(s.path.dirs))
		for _, dir := range s.path.dirs {
			if dir == "" {
				dir = "."
			}
			list = append(list, dir+"/"+name)
		}
	}
	for i, c := range list {
		if !path.IsAbs(c) {
			list[i] = s.f.o.Workspace.HostPath(s.dir) + "/" + c
		}
	}
	return list
}

// appendStat is what stands for bytes that cannot be read: who replaces them changes it.
func appendStat(b []byte, i fsys.Info) []byte {
	for _, n := range []int64{i.Size, i.MTime, i.CTime, int64(i.Inode), int64(i.Dev)} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

// place is where a name of the host lies.
func (f *Finder) place(name string) place {
	name = path.Clean(name)
	if f.o.Root == "/" {
		return place{true, name}
	}
	if rest, ok := strings.CutPrefix(name, f.o.Root); ok && strings.HasPrefix(rest, "/") {
		return place{true, rest}
	}
	return place{false, name}
}

func (f *Finder) disk(p place) fsys.FS {
	if p.inside {
		return f.o.Workspace
	}
	return f.o.Host
}

// indexed is the name by which the stat index knows it.
func (f *Finder) indexed(p place) string {
	if p.inside {
		return p.name
	}
	return state.MachineName(p.name)
}

// look is the stat of a file that somebody may execute; zero for all else.
func (f *Finder) look(p place) fsys.Info {
	info, err := f.disk(p).StatInfo(p.name)
	if err != nil || info.Kind != fsys.File || info.Perm&0o111 == 0 {
		return fsys.Info{}
	}
	return info
}

// maxHead is how much of a script the kernel reads to find its interpreter.
const maxHead = 256

// head is the beginning of a file.
func (f *Finder) head(p place) []byte {
	file, err := f.disk(p).Open(p.name)
	if err != nil {
		return nil
	}
	defer file.Close()
	b := make([]byte, maxHead)
	n, _ := file.Read(b)
	return b[:n]
}

// interpreters are the programs that the first line of a script names: `#!/usr/bin/env node`.
func interpreters(head []byte) []string {
	line, ok := bytes.CutPrefix(head, []byte("#!"))
	if !ok {
		return nil
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	name, arg := strings.Trim(string(line), " \t\r"), ""
	if i := strings.IndexAny(name, " \t"); i >= 0 {
		name, arg = name[:i], strings.TrimLeft(name[i:], " \t")
	}
	switch {
	case name == "" || strings.IndexByte(name+arg, 0) >= 0:
		return nil
	case path.Base(name) == "env" && arg != "":
		return script.Programs([]string{name, arg}) // one word, as the kernel has it
	}
	return []string{name} // whatever the words are, they are its own
}
