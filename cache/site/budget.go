package site

import (
	"errors"
	"time"

	"github.com/haz-build/haz/fsys"
)

// A Budget bounds work by time. The zero value has no bound.
type Budget struct {
	Now   func() time.Time
	Until time.Time
}

func (b *Budget) Over() bool { return b != nil && b.Now != nil && !b.Now().Before(b.Until) }

var errBudget = errors.New("no time left")

// RemoveAll removes path and all below it. When the time is over it stops in between: what is being removed has a name
// that the next sweep looks for.
func (b *Budget) RemoveAll(fsy fsys.FS, path string) error {
	if b == nil || b.Now == nil {
		return fsy.RemoveAll(path)
	}
	list, err := fsy.List(path)
	if err != nil {
		return fsy.RemoveAll(path)
	}
	for _, e := range list {
		if b.Over() {
			return errBudget
		}
		at := Join(path, e.Name)
		if IsDir(fsy, at, e.Kind) {
			err = b.RemoveAll(fsy, at)
		} else {
			err = fsy.Remove(at)
		}
		if err != nil && !fsys.Absent(err) {
			return err
		}
	}
	return fsy.Remove(path)
}
