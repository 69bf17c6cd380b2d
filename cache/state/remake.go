package state

import "github.com/haz-build/haz/cache/digest"

const remakesName = "remakes.log"

// What is known of making the result of a task with a key anew.
const (
	remakeAsked  = 'a'
	remakeDone   = 'd' // it may be asked for again
	remakeInVain = 'v' // and may not
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

func (s *State) putRemake(task string, key digest.Digest, what byte, reader string) {
	s.remakes.put(task, s.today(), appendString(append(append([]byte(nil), key[:]...), what), reader))
}

func (s *State) remake(task string) (key digest.Digest, what byte, reader string) {
	body, _, _, ok := s.remakes.get(task)
	if !ok {
		return key, 0, ""
	}
	d := decoder{rest: string(body), ok: true}
	key, what, reader = d.digest(), d.byte(), d.string()
	if !d.ok || d.rest != "" {
		return digest.Digest{}, 0, ""
	}
	return key, what, reader
}
