package state

import (
	"slices"

	"github.com/haz-build/haz/cache/text"
)

const (
	rewritesName = "rewrites.log"
	wordPath     = "path"
)

// maxRewrites bounds how many paths are kept of one task.
const maxRewrites = 1000

// Rewrites lists the paths that were seen to be written again, with the bytes they had, while the task ran (S-23), sorted. A
// tool that does so does it each time; nobody's edit does.
func (s *State) Rewrites(task string) []string {
	var paths []string
	_, _, _, ok := s.rewrites.parse(task, func(r *text.Reader, _ string) {
		for r.At(wordPath) {
			r.Line(wordPath)
			if paths = append(paths, r.Str(maxRewrite)); len(paths) > maxRewrites {
				r.Fail(text.ErrSpelling)
			}
		}
	})
	if !ok || !slices.IsSorted(paths) {
		return nil
	}
	return paths
}

// AddRewrites adds paths to those.
func (s *State) AddRewrites(task string, paths []string) {
	if s.home.readOnly {
		return
	}
	all := slices.Concat(s.Rewrites(task), paths)
	slices.Sort(all)
	all = slices.Compact(all)
	all = all[:min(len(all), maxRewrites)]
	w := s.rewrites.record(task)
	for _, p := range all {
		if len(w.B)+text.Len(p) > maxRewrite-maxEnd {
			break
		}
		w.Line(wordPath)
		w.Str(p)
	}
	s.rewrites.put(task, s.rewrites.end(w, s.today()))
}
