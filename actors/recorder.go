package actors

import (
	"bytes"
	"hash"
	"sync"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/workspace"
)

// recorder takes the raw streams of one process: it digests them, keeps them for the cache (in memory up to 64 KiB a stream,
// then in a spool file, S-15), and passes copies on to the observer as they come (S-14).
type recorder struct {
	r    *running
	task workspace.TaskID
	id   int

	mu     sync.Mutex
	next   int // number of the next event
	turns  manifest.OrderRecorder
	stdout stream
	stderr stream

	incomplete string // why the streams may lack bytes

	awaited *awaitedLine // what a service prints when it is ready; nil: that is seen otherwise
}

type stream struct {
	mu    sync.Mutex // a process that was given up may still write
	done  bool       // nothing counts any more
	len   int64
	hash  hash.Hash
	bytes []byte
	file  afero.File
	path  string
	lost  string // why the bytes are not kept
}

func newRecorder(r *running, index, first int) *recorder {
	return &recorder{r: r, task: r.o.Plan.Tasks[index].ID, id: index, next: first}
}

// Write implements process.Sink. A large piece goes to the observer in several events, so that each of them fits into the budget.
func (c *recorder) Write(s process.Stream, b []byte) {
	if !c.of(s).take(c, s, b) {
		return
	}
	c.awaited.see(s, b)
	for len(b) > 0 {
		piece := b[:min(len(b), largestPiece)]
		b = b[len(piece):]
		c.pass(s == process.Stderr, piece, c.r.budget.acquire(len(piece)))
	}
}

// pass notes the place of a piece among all, and shows it.
func (c *recorder) pass(stderr bool, piece []byte, shown bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turns.Add(stderr, len(piece))
	if shown {
		c.emit(stderr, bytes.Clone(piece))
	}
}

// order is how the streams followed each other, as they were shown.
func (c *recorder) order() cache.StreamOrder {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.turns.Order()
}

// emit sends an event; numbers and sending go together. The caller holds mu.
func (c *recorder) emit(stderr bool, b []byte) {
	c.r.send(c.r.observer, messages.ObserveEvent{Run: c.r.o.Run, Task: c.id, N: c.next,
		Event: messages.TaskOutput{Task: c.task, Stderr: stderr, Bytes: b}})
	c.next++
}

// announce puts an event among those of the output.
func (c *recorder) announce(e messages.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.r.send(c.r.observer, messages.ObserveEvent{Run: c.r.o.Run, Task: c.id, N: c.next, Event: e})
	c.next++
}

// nextEvent is the number of the event to come.
func (c *recorder) nextEvent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}

func (c *recorder) of(s process.Stream) *stream {
	if s == process.Stderr {
		return &c.stderr
	}
	return &c.stdout
}

// take digests and keeps bytes; false once the streams were handed over.
func (st *stream) take(c *recorder, s process.Stream, b []byte) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.done {
		return false
	}
	st.len += int64(len(b))
	if st.hash == nil {
		st.hash = hasher.New(c.r.o.Hash)
	}
	st.hash.Write(b)
	st.keep(c, s, b)
	return true
}

func (st *stream) keep(c *recorder, s process.Stream, b []byte) {
	switch {
	case st.lost != "":
		return
	case st.file == nil && len(st.bytes)+len(b) <= streamMemory:
		st.bytes = append(st.bytes, b...)
		return
	case st.file == nil:
		f, path, err := c.r.spool.create(c.id, s)
		if err != nil {
			st.lose(err)
			return
		}
		st.file, st.path = f, path
		if _, err := f.Write(st.bytes); err != nil {
			st.lose(fsys.OnHost(c.r.spool.fs, err))
			return
		}
		st.bytes = nil
	}
	if _, err := st.file.Write(b); err != nil {
		st.lose(fsys.OnHost(c.r.spool.fs, err))
	}
}

func (st *stream) lose(err error) {
	st.lost = "its output could not be kept: " + err.Error()
	st.bytes = nil
}

// finish closes the spool files and returns the streams; what is written later counts for nothing. lost says why they cannot be
// stored. It may be called again.
func (c *recorder) finish() (stdout, stderr cache.Stream, lost string) {
	stdout, stderr = c.stdout.finish(c.r.o.Hash), c.stderr.finish(c.r.o.Hash)
	for _, st := range []*stream{&c.stdout, &c.stderr} {
		if st.lost != "" {
			lost = st.lost
		}
	}
	return stdout, stderr, lost
}

// drop gives the memory and the files of the streams back.
func (c *recorder) drop(fs fsys.FS) {
	for _, st := range []*stream{&c.stdout, &c.stderr} {
		st.finish(c.r.o.Hash)
		st.mu.Lock()
		st.bytes, st.hash = nil, nil
		if st.path != "" {
			_ = fs.Remove(st.path)
			st.path = ""
		}
		st.mu.Unlock()
	}
}

func (st *stream) finish(fn digest.Function) cache.Stream {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.done = true
	if st.file != nil {
		if err := st.file.Close(); err != nil && st.lost == "" {
			st.lose(err)
		}
		st.file = nil
	}
	d := hasher.Sum(fn, nil)
	if st.hash != nil {
		d = hasher.Of(st.hash)
	}
	return cache.Stream{Len: st.len, Digest: d, Bytes: st.bytes, Path: st.path}
}

// spool is the run's directory for what does not fit into memory. It is made when first needed, and locked while haz lives,
// so that a later haz can tell it from a leftover.
type spool struct {
	fs   fsys.FS
	mu   sync.Mutex
	dir  string
	lock fsys.Lock
}

func (s *spool) directory() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir != "" {
		return s.dir, nil
	}
	dir, lock, err := state.MakeSpool(s.fs)
	if err != nil {
		return "", err
	}
	s.dir, s.lock = dir, lock
	return dir, nil
}

func (s *spool) create(task int, st process.Stream) (afero.File, string, error) {
	dir, err := s.directory()
	if err != nil {
		return nil, "", err
	}
	path := dir + "/" + spoolName(task, st)
	f, err := s.fs.OpenFile(path, spoolFlags, 0o600)
	return f, path, fsys.OnHost(s.fs, err)
}

func (s *spool) remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		return
	}
	if s.lock != nil {
		_ = s.lock.Unlock()
	}
	_ = s.fs.RemoveAll(s.dir)
	s.dir = ""
}
