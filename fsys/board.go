package fsys

import "syscall"

// A Note is a mark from 1 to MaxMark that somebody has left under a number.
type Note struct {
	ID   LockID
	Mark int
}

// A Board is a directory on which those who have it open leave notes for each other. A note is gone with whoever left it, and
// before that nobody can take it away: deleting files does not touch it, and no permission to write is needed. That makes it
// no lock, since nothing is refused: whoever posts first and looks then, sees all others who do the same, or is seen by them.
type Board interface {
	// Post leaves a note. A number that this board has a note under already must be removed first.
	Post(n Note) error
	// Remove takes a note of this board away, if there is one.
	Remove(id LockID) error
	// Others are the notes of all other boards of that directory, in no order.
	Others() ([]Note, error)
	// Close removes all notes of this board.
	Close() error
}

// OpenBoard opens a directory as a board. The error is ErrLockUnsupported where there is nothing of the kind.
func OpenBoard(f FS, dir string) (Board, error) {
	if b, ok := f.(interface {
		OpenBoard(dir string) (Board, error)
	}); ok {
		return b.OpenBoard(dir)
	}
	return nil, pathError("lock", Clean(dir), ErrLockUnsupported)
}

func checkNote(dir string, n Note) error {
	if n.ID > MaxLockID || n.Mark < 1 || n.Mark > MaxMark {
		return pathError("lock", dir, syscall.EINVAL)
	}
	return nil
}
