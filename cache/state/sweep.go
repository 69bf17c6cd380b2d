package state

import (
	"sync"
	"time"

	"github.com/haz-build/haz/fsys"
)

// SweepTasks removes product lists and last keys of tasks that no longer exist (not in known) and are older than 30 days, with the
// next Flush, and temporary files that a dead haz has left. Failing to do so harms nothing.
func (s *State) SweepTasks(known map[string]bool) {
	if s.home.readOnly {
		return
	}
	d, err := s.home.open()
	if err != nil {
		return
	}
	now := sync.OnceValue(s.Stamp) // where the file system does not tell the time, everything is young
	limit := func() int64 { return (now() - int64(keepUnknown)) / int64(time.Second) }
	s.products.forget(known, limit)
	s.keys.forget(known, limit)
	s.rewrites.forget(known, limit)
	s.remakes.forget(known, limit)
	entries, err := d.List("/")
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.Kind == fsys.Dir || !fsys.IsTemporary(e.Name) {
			continue
		}
		info, err := d.Lstat("/" + e.Name)
		if err == nil && info.Kind == fsys.File && info.MTime < now()-int64(keepTemporary) {
			_ = d.Remove("/" + e.Name)
		}
	}
}
