package key

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/cache/text"
)

// A record has as many lines as are read; one of more is its head alone, and tells nothing.
func TestRecordLines(t *testing.T) {
	a := rich(t)
	d, at := a.deriver(), a.derived()
	at.Inputs = nil
	rest := 0
	for _, l := range wordsOf(t, d.Record(&a.task, at, []byte("salt"), "run", 7)) {
		rest += len(l)
	}
	for _, tt := range []struct {
		lines int
		read  bool
	}{{maxLines, true}, {maxLines + 1, false}} {
		at.Inputs = make([]Input, tt.lines-rest)
		for i := range at.Inputs {
			at.Inputs[i] = Input{Path: fmt.Sprintf("/%06d", i), Kind: DirInput}
		}
		record := d.Record(&a.task, at, []byte("salt"), "run", 7)
		got, ok := FromRecord(record, []byte("salt"))
		if ok != tt.read || ok && len(got.Inputs) != len(at.Inputs) || !tt.read && bytes.Count(record, []byte{'\n'}) != 6 {
			t.Errorf("%d lines: read %v, from %d bytes", tt.lines, ok, len(record))
		}
		// Somebody else may write more.
		c := d.components(&a.task, at)
		if _, ok := FromRecord(c.record(a.task.ID, Recorded{Run: "run", Key: at.Key}, []byte("salt"), math.MaxInt), []byte("salt")); ok != tt.read {
			t.Errorf("a record of %d lines: read %v", tt.lines, ok)
		}
	}
	// Nor has a line more fields than any that haz writes.
	for n, read := range map[int]bool{maxFields: true, maxFields + 1: false} {
		w := text.Writer{B: bytes.Clone(state.RecordHead(a.record("salt")))}
		w.B = w.B[:len(w.B)-1]
		w.Line(wordPlace)
		w.Str("x")
		w.Line(wordInput)
		for range n {
			w.Str("x")
		}
		w.Line(wordMade)
		w.Int(1)
		w.Str("r")
		w.Seal(digest.BLAKE3)
		if _, ok := FromRecord(w.B, []byte("salt")); ok != read {
			t.Errorf("a line of %d fields: read %v", n, ok)
		}
	}
}
