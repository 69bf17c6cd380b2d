package state

import (
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/text"
)

const remakesName = "remakes.log"

// What is known of making the result of a task with a key anew.
const (
	remakeAsked  = "asked"
	remakeDone   = "done" // it may be asked for again
	remakeInVain = "vain" // and may not
)

// AskRemake notes that the result of a task which a hit of key had brought back was changed by the task reader, so that the next
// run had better carry the task out again: tools that write beside their sources what they know of them (bytecode, say) go by
// times, which a hit does not bring back. Where that was in vain, nothing is asked for, and asked is false.
func (s *State) AskRemake(task string, key digest.Digest, reader string) (asked bool) {
	if was, what, _ := s.remake(task); s.home.readOnly || was == key && what == remakeInVain {
		return false
	}
	s.putRemake(task, key, remakeAsked, reader)
	return true
}

// Remake returns the reader for which the task with this key is to be carried out again; "" when it is not.
func (s *State) Remake(task string, key digest.Digest) (reader string) {
	if asked := s.asked(); !asked { // no look at the file for each task of a run
		return ""
	}
	if was, what, reader := s.remake(task); was == key && what == remakeAsked {
		return reader
	}
	return ""
}

// Remade notes that it was; inVain that the reader has changed the new result as well.
func (s *State) Remade(task string, key digest.Digest, inVain bool) {
	switch {
	case s.home.readOnly:
	case inVain:
		s.putRemake(task, key, remakeInVain, "")
	default:
		s.putRemake(task, key, remakeDone, "")
	}
}

func (s *State) putRemake(task string, key digest.Digest, what string, reader string) {
	w := s.remakes.record(task)
	w.Line(what)
	w.Digest(key)
	w.Str(reader)
	s.remakes.put(task, s.remakes.end(w, s.today()))
}

func (s *State) remake(task string) (key digest.Digest, what, reader string) {
	_, _, _, ok := s.remakes.parse(task, func(r *text.Reader, _ string) {
		what = r.Any()
		key, reader = r.Digest(), r.Str(maxRemake)
	})
	if !ok {
		return digest.Digest{}, "", ""
	}
	return key, what, reader
}
