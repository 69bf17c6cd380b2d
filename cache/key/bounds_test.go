package key

import (
	"fmt"
	"testing"

	"github.com/haz-build/haz/cache/state"
)

// A record has as many parts as are read; one of more is its head alone, and tells nothing.
func TestRecordParts(t *testing.T) {
	a := rich(t)
	d, at := a.deriver(), a.derived()
	c := d.components(&a.task, nil, at.Upstreams)
	rest := len(c.argv) + len(c.outputs) + len(c.upstreams) + len(c.env)
	for _, tt := range []struct {
		parts int
		read  bool
	}{{maxParts, true}, {maxParts + 1, false}} {
		at.Inputs = make([]Input, tt.parts-rest)
		for i := range at.Inputs {
			at.Inputs[i] = Input{Path: fmt.Sprintf("/%06d", i), Kind: DirInput}
		}
		record := d.Record(&a.task, at, []byte("salt"), "run", 7)
		got, ok := FromRecord(record, []byte("salt"))
		if ok != tt.read || ok && len(got.Inputs) != len(at.Inputs) || !tt.read && len(record) != state.RecordHead {
			t.Errorf("%d parts: read %v, from %d bytes", tt.parts, ok, len(record))
		}
	}
	// Somebody else may write more.
	c.salt([]byte("salt"))
	for _, tt := range []struct {
		more int
		read bool
	}{{0, true}, {1, false}} {
		c.inputs = at.Inputs[:maxParts-rest+tt.more]
		if _, ok := FromRecord(c.record(Recorded{Run: "run", Key: at.Key}, []byte("salt"), true), []byte("salt")); ok != tt.read {
			t.Errorf("a record with %d parts too many: read %v", tt.more, ok)
		}
	}
}
