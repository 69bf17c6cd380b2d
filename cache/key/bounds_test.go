package key

import (
	"encoding/binary"
	"fmt"
	"slices"
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
	for i := range c.env {
		sum := salted([]byte("salt"), c.env[i])
		c.env[i].value = string(sum[:])
	}
	for _, tt := range []struct {
		more int
		read bool
	}{{0, true}, {1, false}} {
		c.inputs = at.Inputs[:maxParts-rest+tt.more]
		mark := markOf([]byte("salt"))
		b := slices.Concat(at.Key[:], mark[:])
		b = appendStr(binary.BigEndian.AppendUint64(append(b, byte(c.hash)), 7), "run")
		b = c.appendRecordEnv(c.appendRecordUpstreams(c.appendBody(b)))
		if _, ok := FromRecord(b, []byte("salt")); ok != tt.read {
			t.Errorf("a record with %d parts too many: read %v", tt.more, ok)
		}
	}
}
