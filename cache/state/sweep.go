package state

import (
	"github.com/haz-build/haz/fsys"
)

// SweepTasks removes ledgers and last keys of tasks that no longer exist (not in known) and are older than 30 days, and
// temporary files that a dead haz has left. Failing to do so harms nothing.
func (s *State) SweepTasks(known map[string]bool) {
	if s.home.readOnly {
		return
	}
	now := int64(0)
	files := map[string]bool{}
	for task, ok := range known {
		if ok {
			files[fileOf(task)] = true
		}
	}
	for _, dir := range []string{producedDir, keysDir, ""} {
		d, err := s.home.open(dir)
		if err != nil {
			continue
		}
		entries, err := d.List("/")
		if err != nil {
			continue
		}
		for _, e := range entries {
			limit := int64(keepUnknown)
			switch {
			case e.Kind == fsys.Dir:
				continue
			case isTemporary(e.Name):
				limit = int64(keepTemporary)
			case dir == "" || files[e.Name]:
				continue
			}
			if now == 0 {
				if now = s.Stamp(); now == 0 {
					return
				}
			}
			info, err := d.Lstat("/" + e.Name)
			if err == nil && info.Kind == fsys.File && info.MTime < now-limit {
				_ = d.Remove("/" + e.Name)
			}
		}
	}
}
