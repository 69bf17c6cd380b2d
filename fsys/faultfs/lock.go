package faultfs

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/haz-build/haz/fsys"
)

// lockError says of some numbers what the real file system says of them.
func lockError(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) && (p.Err == syscall.ENOLCK || p.Err == errors.ErrUnsupported) {
		p.Err = fsys.ErrLockUnsupported
	}
	return err
}

// anyway carries out what gives something back, in any case but a power cut.
func (f *FS) anyway(op Op, name string, run func() error) error {
	done := false
	err := f.call(op, name, func() error {
		done = true
		return run()
	})
	if !done && !f.Crashed() {
		_ = run()
	}
	return err
}

// lockSet is a set of locks whose operations are calls.
type lockSet struct {
	inner fsys.LockSet
	fs    *FS
	name  string
}

func (f *FS) OpenLocks(name string) (fsys.LockSet, error) {
	var set fsys.LockSet
	err := f.call(OpOpenLocks, name, func() (err error) {
		set, err = f.inner.OpenLocks(name)
		return err
	})
	if err != nil {
		return nil, lockError(err)
	}
	return &lockSet{set, f, fsys.Clean(name)}, nil
}

// one is how the calls name one lock.
func (l *lockSet) one(id fsys.LockID) string { return fmt.Sprintf("%s.%011x", l.name, uint64(id)) }

func (l *lockSet) TryLock(id fsys.LockID, mode fsys.LockMode, mark int) error {
	return lockError(l.fs.call(OpTryLock, l.one(id), func() error { return l.inner.TryLock(id, mode, mark) }))
}

func (l *lockSet) Mark(id fsys.LockID) (mark int, err error) {
	err = l.fs.call(OpMark, l.one(id), func() (err error) {
		mark, err = l.inner.Mark(id)
		return err
	})
	return mark, err
}

func (l *lockSet) Named() (named bool, err error) {
	err = l.fs.call(OpStat, l.name, func() (err error) {
		named, err = l.inner.Named()
		return err
	})
	return named, err
}

func (l *lockSet) Unlock() error { return l.fs.anyway(OpUnlock, l.name, l.inner.Unlock) }

func (l *lockSet) Close() error { return l.fs.anyway(OpClose, l.name, l.inner.Close) }
