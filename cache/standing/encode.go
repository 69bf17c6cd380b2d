package standing

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// The payload, numbers little-endian: the head; how many devices, looks, bytes of names, records, bytes of their names, references and bytes of results
// there are (4 bytes each); these, in that order.
//
//	device   8 bytes
//	look     folder (4; its row, or none: the root), end of its name (4), kind (1), kind of what lies there (1), permissions (2), row of its device (4); size, mtime,
//	         ctime, inode (8 each)
//	record   ends of its name, references and result (4 each), attempt (4); key, asked, upstreams, closure, product; touched, place and length of the
//	         product list; device, inode, size, mtime and ctime of the folder of the entry (8 each)
//	reference  row of a look (4), with the highest bit for an input
//
// A result is streams and outputs, of which the look says path, mode and size.
const (
	headSize   = digest.Size + 5*8 + 8 + Shards*infoSize
	infoSize   = 5 * 8
	countsSize = 7 * 4
	lookSize   = 16 + 4*8
	recordSize = 16 + 5*digest.Size + 3*8 + infoSize

	noFolder  = math.MaxUint32
	inputFlag = 1 << 31
	foundFlag = 0x80
)

var order = binary.LittleEndian

// Encode makes the payload of a file of those records for which keep says true, given the task and where its product list lies. ok is false when there is more
// than is read. devices are those of the looks, with a name on each.
func (b *Book) Encode(h *Head, keep func(task string, list state.Place) bool) (payload []byte, devices map[uint64]string, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.old.Looks() > 2*int(b.old.Head.Fresh)+slack {
		if b = b.fresh(); b == nil {
			return nil, nil, false
		}
	}
	e := newEncoder(b.old)
	head := *h
	if head.Fresh = b.old.Head.Fresh; head.Fresh == 0 {
		head.Fresh = uint32(len(b.looks))
	}
	e.head(&head)
	base := int32(b.old.Looks())
	for i := range b.looks {
		e.look(&b.looks[i], base)
	}
	b.each(func(task string, k *kept, i int) {
		switch {
		case k != nil && keep(task, k.List):
			e.record(k, base)
		case k == nil && keep(task, b.old.list(i)):
			e.older(b.old, i, b.touched)
		}
	})
	for _, shard := range h.Shards {
		if shard != (fsys.Info{}) {
			e.device(shard.Dev, layout.CacheDir)
		}
	}
	payload, ok = e.payload()
	return payload, e.names, ok
}

// slack is how many looks that nobody may need are not worth doing away with.
const slack = 1 << 12

// fresh is a book of the same records without looks that nobody needs; nil where the older file does not hold together.
func (b *Book) fresh() *Book {
	all, ok := NewBook(nil), true
	b.each(func(task string, k *kept, i int) {
		var r Record
		if k == nil {
			if r, ok = b.old.Record(i); !ok {
				return
			}
			if at, touched := b.touched[i]; touched {
				r.Touched = at
			}
		} else {
			r = k.Record
			for n, at := range k.looks {
				r.Looks = append(r.Looks, b.looks[at].Look)
				if k.inputs[n] {
					r.Inputs = append(r.Inputs, b.looks[at].Path)
				}
			}
			slices.Sort(r.Inputs)
		}
		all.Add(r) // one that another one contradicts was overtaken
	})
	if !ok {
		return nil
	}
	return all
}

type encoder struct {
	devices map[uint64]uint32
	names   map[uint64]string

	h, devs, lookRows, lookNames, recordRows, recordNames, refs, results []byte
}

// newEncoder begins with the looks of an older file.
func newEncoder(old *Table) *encoder {
	e := &encoder{devices: map[uint64]uint32{}, names: map[uint64]string{}}
	e.lookRows, e.lookNames = slices.Clone(old.looks), []byte(old.names)
	names := old.Names()
	for _, dev := range old.Devices() {
		e.device(dev, names[dev])
	}
	return e
}

func (e *encoder) payload() ([]byte, bool) {
	parts := [][]byte{e.devs, e.lookRows, e.lookNames, e.recordRows, e.recordNames, e.refs, e.results}
	sizes := []int{8, lookSize, 1, recordSize, 1, 4, 1}
	payload := e.h
	for i, part := range parts {
		if len(part) > math.MaxInt32 || len(e.devices) > math.MaxUint8 {
			return nil, false
		}
		payload = order.AppendUint32(payload, uint32(len(part)/sizes[i]))
	}
	return append(payload, bytes.Join(parts, nil)...), true
}

func appendInts(b []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		b = order.AppendUint64(b, n)
	}
	return b
}

func appendInfo(b []byte, i fsys.Info) []byte {
	return appendInts(b, i.Dev, i.Inode, uint64(i.Size), uint64(i.MTime), uint64(i.CTime))
}

func (e *encoder) head(h *Head) {
	e.h = append(e.h, h.World[:]...)
	e.h = appendInts(e.h, h.Log.Dev, h.Log.Inode, uint64(h.Log.Size), uint64(h.Log.MTime), uint64(h.Log.CTime), uint64(h.Fresh))
	for _, shard := range h.Shards {
		e.h = appendInfo(e.h, shard)
	}
}

// device is the row of a device, of which a name is known.
func (e *encoder) device(dev uint64, name string) uint32 {
	at, known := e.devices[dev]
	if !known {
		at = uint32(len(e.devices))
		e.devices[dev] = at
		e.devs = order.AppendUint64(e.devs, dev)
		e.names[dev] = name
	}
	return at
}

// look writes a row; base is how many there are before those of the book.
func (e *encoder) look(l *row, base int32) {
	in, name, dev := uint32(noFolder), l.Path[strings.LastIndexByte(l.Path, '/')+1:], uint32(0)
	if l.in >= 0 {
		in = uint32(base + l.in)
	}
	e.lookNames = append(e.lookNames, name...)
	if l.Kind.states() {
		dev = e.device(l.Info.Dev, l.Path)
	}
	e.lookRows = order.AppendUint32(order.AppendUint32(e.lookRows, in), uint32(len(e.lookNames)))
	e.lookRows = append(e.lookRows, byte(l.Kind), byte(l.Info.Kind))
	e.lookRows = order.AppendUint32(order.AppendUint16(e.lookRows, uint16(l.Info.Perm)), dev)
	e.lookRows = appendInts(e.lookRows, uint64(l.Info.Size), uint64(l.Info.MTime), uint64(l.Info.CTime), l.Info.Inode)
}

func (e *encoder) record(k *kept, base int32) {
	for i, at := range k.looks {
		ref := uint32(base + at)
		if k.inputs[i] {
			ref |= inputFlag
		}
		e.refs = order.AppendUint32(e.refs, ref)
	}
	e.recordNames = append(e.recordNames, k.Task...)
	e.result(k, base)
	r := e.recordRows
	for _, end := range []int{len(e.recordNames), len(e.refs) / 4, len(e.results), k.Attempt} {
		r = order.AppendUint32(r, uint32(end))
	}
	for _, d := range []digest.Digest{k.Key, k.Asked, k.Upstreams, k.Closure, k.Product} {
		r = append(r, d[:]...)
	}
	r = appendInts(r, uint64(k.Touched), uint64(k.List.Off), uint64(k.List.Size))
	e.device(k.Entry.Dev, layout.CacheDir)
	e.recordRows = appendInfo(r, k.Entry)
}

// older writes a record of the older file, whose looks stay where they are.
func (e *encoder) older(t *Table, i int, touched map[int]int64) {
	e.recordNames = append(e.recordNames, t.Task(i)...)
	from, to := t.part(i, 1)
	e.refs = append(e.refs, t.refs[4*from:4*to]...)
	from, to = t.part(i, 2)
	e.results = append(e.results, t.results[from:to]...)
	at := len(e.recordRows)
	e.recordRows = append(e.recordRows, t.records[i*recordSize:(i+1)*recordSize]...)
	r := e.recordRows[at:]
	for k, end := range []int{len(e.recordNames), len(e.refs) / 4, len(e.results)} {
		order.PutUint32(r[4*k:], uint32(end))
	}
	if when, was := touched[i]; was {
		order.PutUint64(r[16+5*digest.Size:], uint64(when))
	}
}

func (e *encoder) result(k *kept, base int32) {
	w := binary.AppendUvarint(binary.AppendUvarint(e.results, uint64(k.StdoutLen)), uint64(k.StderrLen))
	w = append(append(w, k.Stdout[:]...), k.Stderr[:]...)
	w = append(binary.AppendUvarint(w, uint64(len(k.Order))), k.Order...)
	w = binary.AppendUvarint(w, uint64(len(k.Outputs)))
	for i := range k.Outputs {
		o := &k.Outputs[i]
		flags := byte(o.Kind)
		if o.Found {
			flags |= foundFlag
		}
		w = order.AppendUint32(append(w, flags), uint32(base+k.outputs[i]))
		switch o.Kind {
		case entry.File:
			w = append(w, o.Digest[:]...)
		case entry.Link:
			w = append(binary.AppendUvarint(w, uint64(len(o.Target))), o.Target...)
		}
	}
	e.results = w
}
