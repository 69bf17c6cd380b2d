package fsys

import (
	"io"
	"sync"

	"golang.org/x/sys/unix"
)

// hostBoard is an open file description of a directory, whose notes are shared locks on ranges of bytes: those need a
// descriptor that can read, and no file. A note with number id begins at byte id << markBits and is as long as its mark says, as
// in a hostLockSet.
type hostBoard struct {
	dir string

	mu sync.RWMutex
	fd int // -1 once closed
}

// OpenBoard implements what the function OpenBoard looks for.
func (h *host) OpenBoard(dir string) (Board, error) {
	defer calls.enter(h.dir, dir).leave()
	dir = Clean(dir)
	fd, err := h.openat(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC)
	if err != nil {
		return nil, err
	}
	b := &hostBoard{dir: dir, fd: fd}
	if _, err := b.Others(); err != nil { // a file system that passes locks on to a server may not know any on directories
		_ = b.Close()
		return nil, pathError("lock", dir, ErrLockUnsupported)
	}
	return b, nil
}

func (b *hostBoard) call(cmd int, at *unix.Flock_t) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.fd < 0 {
		return closedLocks(b.dir)
	}
	if err := lockBytes(b.fd, cmd, at); err != nil {
		return pathError("lock", b.dir, err)
	}
	return nil
}

func (b *hostBoard) Post(n Note) error {
	if err := checkNote(b.dir, n); err != nil {
		return err
	}
	return b.call(setLock, &unix.Flock_t{Type: unix.F_RDLCK, Whence: io.SeekStart, Start: int64(n.ID) << markBits, Len: int64(n.Mark)})
}

func (b *hostBoard) Remove(id LockID) error {
	if err := checkNote(b.dir, Note{id, 1}); err != nil {
		return err
	}
	return b.call(setLock, &unix.Flock_t{Type: unix.F_UNLCK, Whence: io.SeekStart, Start: int64(id) << markBits, Len: MaxMark})
}

// Others asks what would be in the way of a lock on everything, then on what lies before and behind that, and so on.
func (b *hostBoard) Others() (notes []Note, err error) {
	type span struct{ from, to int64 } // to is not in it; 0: the end of all numbers
	for todo := []span{{}}; len(todo) > 0; {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		at := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: s.from}
		if s.to > 0 {
			at.Len = s.to - s.from
		}
		if err := b.call(getLock, &at); err != nil {
			return nil, err
		}
		if at.Type == unix.F_UNLCK {
			continue
		}
		if at.Len > 0 && at.Len <= MaxMark && at.Start&(1<<markBits-1) == 0 { // else it is none of ours
			notes = append(notes, Note{LockID(at.Start >> markBits), int(at.Len)})
		}
		if at.Start > s.from {
			todo = append(todo, span{s.from, at.Start})
		}
		if end := at.Start + at.Len; at.Len > 0 && (s.to == 0 || end < s.to) {
			todo = append(todo, span{end, s.to})
		}
	}
	return notes, nil
}

func (b *hostBoard) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fd < 0 {
		return nil
	}
	// Not left to the closing: a process that is being forked right now has the descriptor as well, until its exec.
	_ = lockBytes(b.fd, setLock, &unix.Flock_t{Type: unix.F_UNLCK, Whence: io.SeekStart})
	err := unix.Close(b.fd)
	b.fd = -1
	return err
}
