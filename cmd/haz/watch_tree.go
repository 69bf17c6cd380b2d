package main

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// treeWatch looks at a tree, and tells when it may be worth looking again.
type treeWatch struct {
	root   string // host path
	notify *fsnotify.Watcher
	stirs  chan struct{} // one place: many notifications are one
	done   chan struct{}
	ended  sync.WaitGroup

	mu      sync.Mutex
	watched map[string]bool // host directories
	limited error           // why directories cannot be watched any more
}

// pollEvery is how often a tree is looked at that cannot be watched whole.
const pollEvery = 2 * time.Second

func watchTree(root string) (*treeWatch, error) {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	t := &treeWatch{root: root, notify: n, stirs: make(chan struct{}, 1), done: make(chan struct{}), watched: map[string]bool{}}
	t.ended.Add(1)
	go t.listen()
	return t, nil
}

func (t *treeWatch) close() {
	close(t.done)
	_ = t.notify.Close()
	t.ended.Wait()
}

// listen turns notifications into stirs, until close.
func (t *treeWatch) listen() {
	defer t.ended.Done()
	poll := time.NewTicker(pollEvery)
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
			if t.limit() == nil {
				continue
			}
		}
		select {
		case t.stirs <- struct{}{}:
		default:
		}
	}
}

// forget gives up the watches on a directory that is gone from its place, with all below: what comes back there under the
// same name is another one, and the old one may live on elsewhere.
func (t *treeWatch) forget(dir string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.watched[dir] {
		return
	}
	for d := range t.watched {
		if d == dir || strings.HasPrefix(d, dir+"/") {
			delete(t.watched, d)
			_ = t.notify.Remove(d) // most often the system has done so
		}
	}
}

// watch asks for notifications about a directory. A directory that vanished meanwhile is no failure.
func (t *treeWatch) watch(dir string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.watched[dir] || t.limited != nil {
		return
	}
	switch err := t.notify.Add(dir); {
	case err == nil:
		t.watched[dir] = true
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		t.limited = err
	}
}

// limit is why the tree cannot be watched whole; nil when it is.
func (t *treeWatch) limit() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.limited
}

// look returns the stamps of all files below the root, by workspace-absolute path, and watches every directory it comes
// through. Directories are watched before they are read, so that nothing slips in between. Links to directories are followed;
// one that leads back to where it came from is not. What cannot be read is not there.
func (t *treeWatch) look(prunes func(dir string) bool) map[string]stamp {
	seen := map[string]stamp{}
	t.lookInto("/", prunes, nil, seen)
	return seen
}

func (t *treeWatch) lookInto(dir string, prunes func(string) bool, above []os.FileInfo, seen map[string]stamp) {
	host := filepath.Join(t.root, dir)
	self, err := os.Stat(host)
	if err != nil {
		return
	}
	for _, a := range above {
		if os.SameFile(a, self) {
			return
		}
	}
	above = append(above, self)
	t.watch(host)
	entries, err := os.ReadDir(host)
	if err != nil {
		return
	}
	for _, e := range entries {
		p := path.Join(dir, e.Name())
		kind := e.Type()
		info, err := e.Info()
		if err != nil {
			continue
		}
		if kind&fs.ModeSymlink != 0 {
			seen[p] = stampOf(info)
			target, err := os.Stat(filepath.Join(t.root, p))
			if err != nil {
				continue
			}
			if info, kind = target, target.Mode().Type(); !kind.IsDir() {
				// Where a link points and what is there count both.
				s := stampOf(info)
				s.inode ^= seen[p].inode<<1 | 1
				seen[p] = s
			}
		}
		switch {
		case kind.IsDir():
			if !prunes(p) {
				t.lookInto(p, prunes, above, seen)
			}
		default:
			if _, link := seen[p]; !link {
				seen[p] = stampOf(info)
			}
		}
	}
}

func stampOf(info os.FileInfo) stamp {
	s := stamp{size: info.Size(), modified: info.ModTime().UnixNano(), mode: uint32(info.Mode())}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = sys.Ino
	}
	return s
}
