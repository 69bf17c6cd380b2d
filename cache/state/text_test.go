package state

import (
	"strings"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/text"
)

// lastKey is a last key of a task: key and secret, which make its head, and what else it says.
func lastKey(task, key string, rest ...string) []byte {
	return lastKeyOf(task, key, 1_700_000_000, rest...)
}

func lastKeyOf(task, key string, made int64, rest ...string) []byte {
	var w text.Writer
	w.Head(LastKeyKind, 9, digest.BLAKE3)
	w.Line(wordTask)
	w.Str(task)
	w.Line("key")
	w.Str(key)
	w.Line("secret")
	w.Str("s")
	for _, l := range rest {
		w.Line("rest")
		w.Str(l)
	}
	w.Line(wordMade)
	w.Int(made)
	w.Str("run")
	w.Seal(digest.BLAKE3)
	return w.B
}

// keptKey is the key in a last key, or what is wrong with it.
func keptKey(s *State, task string) string {
	record, ok := s.LastKey(task)
	if !ok {
		return ""
	}
	r := text.Read(record)
	r.Head(LastKeyKind)
	r.Line(wordTask)
	r.Str(maxLastKey)
	r.Line("key")
	return r.Str(maxLastKey)
}

// What is kept can be read by people.
func TestProductsText(t *testing.T) {
	s := Open(hostDisk(t), digest.BLAKE3)
	l := someProducts("p:t", 1)
	l.Spans, l.Unfinished = []Span{{-1, 5}}, true
	l.Files = append(l.Files, Produced{Path: "/p/to b", LinkText: "b c", Found: true})
	record, ok := s.productsText(&l)
	const want = `haz produced 1 blake3
task p:t
key 0700000000000000000000000000000000000000000000000000000000000000
unfinished
span -1 5
file 644 0 /p/out/0000 0100000000000000000000000000000000000000000000000000000000000000 own -5 1152921504606846976 9223372036854775808 9
nothing 000 0 "/p/to b" unknown found 0 0 0 0 "b c"
made 1700000000
digest `
	if got := string(record); !ok || !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 9 {
		t.Errorf("%v\n%s\nwant\n%s", ok, got, want)
	}
}
