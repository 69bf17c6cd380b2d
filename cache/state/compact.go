package state

import (
	"bufio"
	"cmp"
	"io"
	"slices"

	"github.com/haz-build/haz/fsys"
)

// logSlack is how much more than what counts a log may hold before Flush rewrites it.
const logSlack = 256 << 10

// forget drops the records of tasks that are not known and were made before limit (unix seconds), which is asked for only if
// there are such tasks.
func (l *log) forget(known map[string]bool, limit func() int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refresh() != nil {
		return
	}
	for task, at := range l.rows {
		if known[task] {
			continue
		}
		if made, err := l.made(at); err == nil && made < limit() {
			delete(l.rows, task)
			l.tasks -= taskCost + len(task)
			l.live -= at.size
			l.unwanted = true
		}
	}
}

// flush rewrites a log that holds much more than what counts, and gives its handle back.
func (l *log) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil && l.lock != nil && l.refresh() == nil && l.wasteful() {
		// Failing to do so harms nothing: the next flush tries again.
		_ = l.s.home.inDir(l.compact)
	}
	l.drop()
}

func (l *log) wasteful() bool { return l.unwanted || l.seen-l.live > l.live+logSlack }

// compact writes what counts to a new file and renames it into place, if nobody else has the log open.
func (l *log) compact(d fsys.FS) error {
	l.unlock()
	lock, err := fsys.TryLock(d, "/"+l.lockName(), fsys.Exclusive)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	unwanted := l.unwanted
	if err := l.refresh(); err != nil || l.unwanted != unwanted || !l.wasteful() {
		return err // somebody else was there between the two locks
	}
	spans := make([]span, 0, len(l.rows))
	for _, at := range l.rows {
		spans = append(spans, at)
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.off, b.off) })
	return fsys.ReplaceFile(d, l.name, filePerm, func(f fsys.SyncWriter) error {
		w := bufio.NewWriterSize(f, scanWindow)
		for _, at := range spans {
			if _, err := io.Copy(w, io.NewSectionReader(l.f, at.off, at.size)); err != nil {
				return err
			}
		}
		return w.Flush()
	})
}
