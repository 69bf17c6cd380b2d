package watch

import (
	"errors"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/haz-build/haz/fsys"
)

// Tree looks at a tree, and tells when it may be worth looking again.
type Tree struct {
	root   string            // host path
	notify *fsnotify.Watcher // nil where the system gives none
	Stirs  chan struct{}     // one place: many notifications are one
	done   chan struct{}
	ended  sync.WaitGroup

	mu      sync.Mutex
	watched map[string]identity // host directories, and which ones they were
	swapped bool                // a watch was taken off, which may have been that of another name as well
	self    identity            // the root as it was last seen; none when it was gone
	gone    bool                // there was no root at the last look
	limited error               // why directories cannot be watched any more
}

// PollEvery is how often a tree is looked at that cannot be watched whole.
const PollEvery = 2 * time.Second

func Open(root string) *Tree {
	t := &Tree{root: root, Stirs: make(chan struct{}, 1), done: make(chan struct{}), watched: map[string]identity{}}
	t.notify, t.limited = fsnotify.NewWatcher()
	if t.limited != nil {
		t.notify = &fsnotify.Watcher{} // whose channels are nil: nothing ever comes from it
	}
	t.ended.Add(1)
	go t.listen()
	return t
}

func (t *Tree) Close() {
	close(t.done)
	t.mu.Lock()
	t.watched = map[string]identity{}
	t.mu.Unlock()
	if t.notify.Events != nil {
		_ = t.notify.Close()
	}
	t.ended.Wait()
}

// listen turns notifications into stirs, until close.
func (t *Tree) listen() {
	defer t.ended.Done()
	poll := time.NewTicker(PollEvery)
	defer poll.Stop()
	for {
		select {
		case <-t.done:
			return
		case e, ok := <-t.notify.Events:
			if !ok {
				return
			}
			if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
				t.forget(e.Name)
			}
		case _, ok := <-t.notify.Errors: // an overflow: something was lost, so look
			if !ok {
				return
			}
		case <-poll.C:
			if !t.polls() {
				continue
			}
		}
		select {
		case t.Stirs <- struct{}{}:
		default:
		}
	}
}

// forget gives up the watches on a directory that is gone from its place, with all below: what comes back there under the
// same name is another one, and the old one may live on elsewhere.
func (t *Tree) forget(dir string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.watched[dir]; !ok {
		return
	}
	for d := range t.watched {
		if d == dir || strings.HasPrefix(d, dir+"/") {
			delete(t.watched, d)
			_ = t.notify.Remove(d) // most often the system has done so
		}
	}
}

// watch asks for notifications about a directory, which was seen to be that one: where a link leads to another one than before, the
// watch goes with it. A directory that vanished meanwhile is no failure.
func (t *Tree) watch(dir string, id identity) {
	t.mu.Lock()
	defer t.mu.Unlock()
	was, known := t.watched[dir]
	if known && was == id || t.limited != nil {
		return
	}
	if known {
		delete(t.watched, dir)
		_ = t.notify.Remove(dir)
		t.swapped = true
	}
	switch err := t.notify.Add(dir); {
	case err == nil:
		t.watched[dir] = id
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		t.limited = err
	}
}

// watchOnly gives up the watches on all other directories.
func (t *Tree) watchOnly(dirs map[string]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	less := t.swapped
	t.swapped = false
	for d := range t.watched {
		if !dirs[d] {
			less = true
			delete(t.watched, d)
			_ = t.notify.Remove(d)
		}
	}
	for d := range t.watched {
		if !less {
			break
		}
		_ = t.notify.Add(d) // under two names a directory has one watch, which went with the other name
	}
}

// polls reports whether the tree has to be looked at from time to time, since notifications do not tell all.
func (t *Tree) polls() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.limited != nil || t.gone
}

// Limit is why the tree cannot be watched whole; nil when it is.
func (t *Tree) Limit() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.limited
}

func stampOf(info fsys.Info) Stamp {
	return Stamp{size: info.Size, modified: info.MTime, mode: uint32(info.Kind)<<16 | info.Perm, inode: info.Inode}
}

// Present reports whether the root is there. What notifications were about is forgotten when it is gone, or another one.
func (t *Tree) Present() bool {
	now := identity{}
	info, err := fsys.Machine().StatInfo(t.root)
	if err == nil {
		now = identityOf(info)
	}
	t.mu.Lock()
	old := t.self
	t.gone, t.self = err != nil, now
	t.mu.Unlock()
	if old != (identity{}) && old != now {
		t.forget(t.root)
	}
	return err == nil
}
