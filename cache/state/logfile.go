package state

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/haz-build/haz/fsys"
)

type logFile interface {
	io.ReaderAt
	io.Writer
	io.Closer
	Info() (fsys.Info, error)
}

// open makes sure that l.f is there, for writing if that is wanted.
func (l *log) open(write bool) error {
	if l.f != nil && (l.appends || !write) {
		return nil
	}
	l.drop()
	opened := func(d fsys.FS, flag int) error {
		f, err := d.OpenFile("/"+l.name, flag, filePerm)
		if err != nil {
			return err
		}
		file, ok := f.(logFile)
		if !ok {
			_ = f.Close()
			return errors.ErrUnsupported
		}
		l.f, l.appends = file, flag != os.O_RDONLY
		return nil
	}
	if write {
		return l.s.home.inDir(func(d fsys.FS) error {
			l.share(d)
			return opened(d, os.O_RDWR|os.O_APPEND|os.O_CREATE)
		})
	}
	for try := 0; ; try++ {
		d, err := l.s.home.open()
		if err != nil {
			return err
		}
		err = fs.ErrPermission
		if !l.s.home.readOnly {
			l.share(d)
			err = opened(d, os.O_RDWR|os.O_APPEND)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			err = opened(d, os.O_RDONLY)
		}
		if err == nil {
			return nil
		}
		l.drop()
		if try > 0 || !isStale(err) || !l.s.home.forgetDeleted() {
			return err
		}
	}
}

// share takes the lock that keeps the log from being rewritten. That takes milliseconds, and is waited for; where locks do
// not work nobody rewrites anything.
func (l *log) share(d fsys.FS) {
	l.unlock()
	for range 1000 {
		lock, err := fsys.TryLock(d, "/"+l.lockName(), fsys.Shared)
		if err == nil {
			l.lock = lock
		}
		if !errors.Is(err, fsys.ErrLocked) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (l *log) lockName() string { return l.name + ".lock" }

func (l *log) unlock() {
	if l.lock != nil {
		_ = l.lock.Unlock()
		l.lock = nil
	}
}

// drop forgets the open file and what is known of it.
func (l *log) drop() {
	if l.f != nil {
		_ = l.f.Close()
	}
	l.unlock()
	l.gen++
	l.f, l.appends, l.rows, l.tasks, l.live, l.at, l.seen, l.text, l.unwanted = nil, false, nil, 0, 0, 0, 0, nil, false
}

// refresh looks at what was appended since the last time. The error is fs.ErrNotExist when there is no log.
func (l *log) refresh() error {
	for try := 0; ; try++ {
		if err := l.open(false); err != nil {
			return err
		}
		info, err := l.f.Info()
		if err == nil && info.Nlink > 0 && info.Size >= l.seen {
			if info.Size > l.seen {
				err = l.scan(info.Size)
			}
			return err
		}
		l.drop() // it has lost its name, or somebody cut it off
		if try > 0 {
			return err
		}
	}
}

// scan reads the records between l.at and size. What comes last may be one that is being written, and is looked at again.
func (l *log) scan(size int64) error {
	if l.rows == nil {
		l.rows = map[string]span{}
	}
	src, err := l.keep(size)
	if err != nil {
		return err
	}
	for found := scanLog(src, l.at, size, l.kind, l.most); ; {
		task, at, err := found.next()
		switch {
		case err == io.EOF:
			l.seen = size
			return nil
		case err != nil:
			return err
		}
		l.count(task, at)
	}
}

// keep reads a small log on into memory, from the last record that holds together. src is where it is scanned.
func (l *log) keep(size int64) (src io.ReaderAt, err error) {
	if size > maxText || int64(len(l.text)) < l.at {
		return l.f, nil
	}
	more := make([]byte, size-l.at)
	n, err := l.f.ReadAt(more, l.at)
	if err != nil && err != io.EOF {
		return nil, err
	}
	l.text = append(l.text[:l.at], more[:n]...)
	return bytes.NewReader(l.text), nil
}

// count makes the record at a span the one of its task that counts. Of more tasks than anybody has nothing is known.
func (l *log) count(task string, at span) {
	l.at = at.off + at.size
	was, known := l.rows[task]
	if !known {
		if l.tasks+taskCost+len(task) > maxTasks {
			return
		}
		l.tasks += taskCost + len(task)
	}
	l.live += at.size - was.size
	l.rows[task] = at
}
