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
	at.Inputs = at.Inputs[:maxParts-rest]
	record := d.Record(&a.task, at, []byte("salt"), "run", 7)
	c.inputs = append(at.Inputs, Input{Path: "/more", Kind: DirInput})
	body := c.appendRecordEnv(c.appendRecordUpstreams(c.appendBody(nil)))
	head := record[:state.RecordHead+1+8+8+len("run")]
	if _, ok := FromRecord(append(head[:len(head):len(head)], body...), []byte("salt")); ok {
		t.Error("a record with more parts was read")
	}
}
