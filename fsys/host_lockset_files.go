//go:build linux || darwin || freebsd || netbsd || openbsd

package fsys

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"sync"
)

// fileLocks is a LockSet for kernels that have no locks of byte ranges, or whose locks belong to processes: a file beside the
// set's own for each lock, which holds the mark, and is locked as a whole.
type fileLocks struct {
	h     *host
	name  string
	inode uint64 // of the set's file: one that is made after it was removed has other locks

	mu   sync.Mutex
	own  *hostFile // gives the set its name; nil once closed
	held map[LockID]heldFile
}

// markSize is how long the file of a lock is that bears a mark, in bytes.
const markSize = 4

type heldFile struct {
	lock   *hostLock
	marked bool
}

func (h *host) openFileLocks(name string) (LockSet, error) {
	name = Clean(name)
	f, err := h.openLockFile(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Info()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &fileLocks{h: h, name: name, inode: info.Inode, own: f, held: map[LockID]heldFile{}}, nil
}

func (l *fileLocks) fileOf(id LockID) string {
	return fmt.Sprintf("%s.%x.%011x", l.name, l.inode, uint64(id))
}

func (l *fileLocks) do(what func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.own == nil {
		return closedLocks(l.name)
	}
	return what()
}

func (l *fileLocks) TryLock(id LockID, mode LockMode, mark int) error {
	if err := checkLock(l.name, id, mode, mark); err != nil {
		return err
	}
	return l.do(func() error {
		held, err := l.h.tryLock(l.fileOf(id), mode)
		if err != nil {
			return err
		}
		if mode == Shared {
			mark = 0 // that of somebody who died may still be there
		}
		if err := setMark(held, mark); err != nil {
			_ = held.Unlock()
			return err
		}
		l.held[id] = heldFile{held, mode == Exclusive}
		return nil
	})
}

func setMark(l *hostLock, mark int) error {
	_, err := l.f.WriteAt(binary.LittleEndian.AppendUint32(nil, uint32(mark)), 0)
	return err
}

func (l *fileLocks) Mark(id LockID) (mark int, err error) {
	err = l.do(func() error {
		if _, ours := l.held[id]; ours {
			return nil
		}
		// The file is current where the lock is held, and only then it is asked: whoever takes a lock writes its mark.
		data, _, err := l.h.ReadFile(l.fileOf(id), markSize)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrTooLong) {
			return nil
		}
		if err == nil && len(data) == markSize {
			mark = int(binary.LittleEndian.Uint32(data))
		}
		return err
	})
	return mark, err
}

func (l *fileLocks) Named() (named bool, err error) {
	err = l.do(func() error {
		named, err = l.own.hasName()
		return err
	})
	return named, err
}

func (l *fileLocks) Unlock() error { return l.do(l.release) }

func (l *fileLocks) release() (err error) {
	for _, held := range l.held {
		if held.marked {
			_ = setMark(held.lock, 0)
		}
		err = errors.Join(err, held.lock.Unlock())
	}
	clear(l.held)
	return err
}

func (l *fileLocks) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.own == nil {
		return nil
	}
	err := errors.Join(l.release(), l.own.Close())
	l.own = nil
	return err
}
