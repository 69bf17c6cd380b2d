package state

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
)

// The locks of a task. Their numbers are digests of its id (40 bits: of ten thousand tasks one time in ten thousand two share a
// number; they are then kept apart for no reason).
//
//	own      exclusively by whoever is at work on it; shared by those who may write the same paths, or read what it makes
//	reading  exclusively while it needs what it reads to stay as it is; shared by those who are at work on that
//	process  by whoever has own, marked with the pid of the task's process; nobody else takes it
//
// An exclusive holder of the first two marks them with the pid of its haz. Who holds a lock in shared mode cannot be asked, but
// each pair of tasks that must be kept apart asks both ways, so that an exclusive lock of the holder says who it is.
const (
	ownLock     = "own "
	readingLock = "reading "
	processLock = "process "
)

// waitFlag sets the notes of those who wait apart from the numbers of locks.
const waitFlag = 1 << 40

// lockID is the number of a task's lock. It is the same in both hash functions, or two haz with different ones would not see
// each other's locks. The suffix is that of nested use.
func lockID(which, task, suffix string) fsys.LockID {
	d := hasher.Sum(digest.BLAKE3, []byte(which+task+suffix))
	return fsys.LockID(binary.LittleEndian.Uint64(d[:])) & (waitFlag - 1)
}

// taker takes the locks of one task.
//
// Nested use (section 10): a lock that only tasks of ancestors hold, which wait for this process, counts as free. Nested haz
// that are let pass by in that way keep apart by a second set of locks, which nobody else takes; those nested in them by a third.
type taker struct {
	set, reads fsys.LockSet // one, unless what is read may be let go early
	task       string
	pid        int
	ancestors  func() map[int]bool
	exempt     int           // locks that are held by tasks that wait for this process
	process    []fsys.LockID // beside our own locks that were taken
}

// wanted is one lock that is needed.
type wanted struct {
	which, task string
	mode        fsys.LockMode
	reads       bool
}

// wants lists the locks of a request, in the order in which all haz take them: of two that want the same, one gets them.
func (r LockRequest) wants() []wanted {
	ws := []wanted{{which: ownLock, task: r.Task, mode: fsys.Exclusive}}
	near := map[string]bool{r.Task: true}
	add := func(which string, tasks []string, reads bool) {
		for _, task := range tasks {
			if !near[task] {
				near[task] = true
				ws = append(ws, wanted{which, task, fsys.Shared, reads})
			}
		}
	}
	add(ownLock, r.Conflicts, false)
	add(ownLock, r.Reads, true)
	clear(near)
	if len(r.Reads) > 0 {
		ws = append(ws, wanted{readingLock, r.Task, fsys.Exclusive, true})
	}
	near[r.Task] = true
	add(readingLock, r.Readers, false)
	slices.SortFunc(ws, func(a, b wanted) int { return cmp.Or(cmp.Compare(a.task, b.task), cmp.Compare(a.which, b.which)) })
	return ws
}

const (
	nestedSuffix = ".nested"
	maxNested    = 8 // haz in haz, each let pass by the one before
)

func (t *taker) takeAll(r LockRequest) (*Refused, error) {
	ws := r.wants()
	for suffix := ""; len(suffix) <= maxNested*len(nestedSuffix); suffix += nestedSuffix {
		exempt := t.exempt
		shared, refused, err := t.takeEach(ws, suffix)
		if refused != nil || err != nil {
			return refused, err
		}
		if shared || t.exempt > exempt {
			continue
		}
		if suffix == "" || t.exempt > 0 {
			return nil, nil
		}
		break // somebody who has our lock in shared mode, and whom nothing names
	}
	return &Refused{Task: t.task}, nil
}

// takeEach takes the locks of one suffix. shared says that somebody holds one of our own in shared mode, so that it was not taken.
func (t *taker) takeEach(ws []wanted, suffix string) (shared bool, refused *Refused, err error) {
	for _, w := range ws {
		set := t.set
		if w.reads {
			set = t.reads
		}
		err := set.TryLock(lockID(w.which, w.task, suffix), w.mode, t.pid)
		own := w.mode == fsys.Exclusive
		if err == nil {
			if own && w.which == ownLock {
				t.process = append(t.process, lockID(processLock, w.task, suffix))
			}
			continue
		}
		if !errors.Is(err, fsys.ErrLocked) {
			return false, nil, err
		}
		n := t.holder(w, suffix)
		switch {
		case own && n.haz == 0:
			shared = true
		case own:
			return false, &Refused{Task: w.task, HazPID: n.haz, TaskPID: n.task, Ancestor: t.waitsForUs(n)}, nil
		case t.waitsForUs(n):
			t.exempt++
		default:
			return false, &Refused{Task: w.task, HazPID: n.haz, TaskPID: n.task}, nil
		}
	}
	return shared, nil, nil
}

// waitsForUs reports whether the holder's task has a process that this one descends from.
func (t *taker) waitsForUs(h holder) bool { return h.task > 0 && t.ancestors()[h.task] }

// holder is who holds a lock exclusively; 0 where that is not known.
type holder struct{ haz, task int }

func (t *taker) holder(w wanted, suffix string) (h holder) {
	var err error
	if h.haz, err = t.set.Mark(lockID(w.which, w.task, suffix)); err != nil || h.haz == 0 {
		return holder{}
	}
	if h.task, err = t.set.Mark(lockID(processLock, w.task, suffix)); err != nil {
		h.task = 0
	}
	return h
}
