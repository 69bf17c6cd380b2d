package settle

import (
	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/standing"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/messages"
)

// hit is a task that is up to date, as far as is known.
type hit struct {
	pass         *pass
	row          int
	rec          standing.Record // without looks
	own, streams digest.Digest   // what it contributes
	whole        bool            // its entry is there, and printed was read
	printed      [2][]byte
	differs      bool // foreseen, and not all outputs look as they did
	lacks        bool // one of them is not there
}

func (h *hit) Result() (key entry.Key, attempt int, product messages.Product) {
	r := &h.rec
	product = messages.Product{StdoutLen: r.StdoutLen, StderrLen: r.StderrLen, StdoutDigest: r.Stdout, StderrDigest: r.Stderr, OutputsDigest: r.Product,
		Own: h.own, Closure: r.Closure, Streams: h.streams}
	for i := range r.Outputs {
		product.Outputs = append(product.Outputs, r.Outputs[i].Output)
	}
	return r.Key, max(1, r.Attempt), product
}

func (h *hit) Printed() (stdout, stderr []byte, order cache.StreamOrder) {
	return h.printed[0], h.printed[1], cache.StreamOrder(h.rec.Order)
}

func (h *hit) Kept() []state.Produced {
	list := make([]state.Produced, len(h.rec.Outputs))
	for i := range list {
		o := &h.rec.Outputs[i]
		list[i] = state.Produced{Path: o.Path, Info: o.Info, Digest: o.Digest, HasDigest: o.Kind == entry.File, LinkText: o.Target, Found: o.Found}
	}
	return list
}

// Missed is empty: a task with such a pattern is not written down.
func (h *hit) Missed() []actors.MissedPattern { return nil }
