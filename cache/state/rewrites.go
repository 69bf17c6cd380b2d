package state

import (
	"encoding/binary"
	"slices"
)

const rewritesName = "rewrites.log"

// maxRewrites bounds how many paths are kept of one task.
const maxRewrites = 1000

// Rewrites lists the paths that were seen to be written again, with the bytes they had, while the task ran (S-23), sorted. A
// tool that does so does it each time; nobody's edit does.
func (s *State) Rewrites(task string) []string {
	body, _, _, ok := s.rewrites.get(task)
	if !ok {
		return nil
	}
	d := decoder{rest: string(body), ok: true}
	n := d.uvarint()
	if n > maxRewrites {
		return nil
	}
	paths := make([]string, n)
	for i := range paths {
		paths[i] = d.string()
	}
	if !d.ok || d.rest != "" || !slices.IsSorted(paths) {
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
	size := 0
	for i := range all {
		if size += binary.MaxVarintLen64 + len(all[i]); !s.rewrites.fits(task, binary.MaxVarintLen64+size) {
			all = all[:i]
			break
		}
	}
	b := binary.AppendUvarint(nil, uint64(len(all)))
	for _, p := range all {
		b = appendString(b, p)
	}
	s.rewrites.put(task, s.today(), b)
}
