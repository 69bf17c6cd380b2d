package state

import (
	"sync"

	"github.com/haz-build/haz/fsys"
)

// board is where tasks at work are announced on the folder of the workspace itself: what stands there is gone with whoever wrote it
// and not before, whatever is deleted, and can be written where files cannot. There is one a State, opened on first use.
type board struct {
	mu      sync.Mutex
	b       fsys.Board // nil before, and where there is nothing of the kind
	missing bool
}

// open reports whether there is a board.
func (b *board) open(ws fsys.FS) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.b == nil && !b.missing {
		var err error
		b.b, err = fsys.OpenBoard(ws, "/")
		b.missing = err != nil
	}
	return b.b != nil
}

func (b *board) get() fsys.Board {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b
}

func (b *board) post(id fsys.LockID, mark int) bool {
	at := b.get()
	return at != nil && at.Post(fsys.Note{ID: id, Mark: mark}) == nil
}

func (b *board) remove(id fsys.LockID) {
	if at := b.get(); at != nil {
		_ = at.Remove(id)
	}
}

// others are the notes of all other haz; none where they cannot be had.
func (b *board) others() []fsys.Note {
	at := b.get()
	if at == nil {
		return nil
	}
	notes, err := at.Others()
	if err != nil {
		return nil
	}
	return notes
}

func (b *board) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.b != nil {
		_ = b.b.Close()
		b.b = nil
	}
}

// onBoard says who stands on the board that r's task must not be at work beside; nil when nobody does. What is to be seen by
// others was posted before. As with the locks, who waits for this process is not in the way.
func (l *locks) onBoard(r LockRequest) *Refused {
	notes := l.board.others()
	if len(notes) == 0 {
		return nil
	}
	marks := make(map[fsys.LockID]int, len(notes))
	for _, n := range notes {
		marks[n.ID] = n.Mark
	}
	for _, w := range r.wants() {
		if w.which == readingLock && w.task == r.Task {
			continue // who is at work on what it reads stands there with its own
		}
		haz := marks[lockID(w.which, w.task, "")]
		if haz == 0 {
			continue
		}
		refused := &Refused{Task: w.task, HazPID: haz, TaskPID: marks[lockID(processLock, w.task, "")]}
		waits := refused.TaskPID > 0 && l.ancestors()[refused.TaskPID]
		refused.Ancestor = waits && w.task == r.Task
		if !waits || refused.Ancestor {
			return refused
		}
	}
	return nil
}
