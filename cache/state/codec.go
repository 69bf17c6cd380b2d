package state

import (
	"encoding/binary"

	"github.com/haz-build/haz/cache/digest"
)

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// decoder takes values off the front of rest. After one that is not there, ok is false and all others are zero.
// Strings are parts of rest: a ledger of ten thousand paths costs one copy.
type decoder struct {
	rest string
	ok   bool
}

func (d *decoder) take(n int) string {
	if !d.ok || n > len(d.rest) {
		d.ok, d.rest = false, ""
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *decoder) byte() byte {
	if s := d.take(1); s != "" {
		return s[0]
	}
	return 0
}

func (d *decoder) fixed64() (v uint64) {
	s := d.take(8)
	for i := len(s) - 1; i >= 0; i-- {
		v = v<<8 | uint64(s[i])
	}
	return v
}

func (d *decoder) uvarint() (v uint64) {
	for shift := 0; shift < 64; shift += 7 {
		b := d.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	d.ok, d.rest = false, ""
	return 0
}

func (d *decoder) varint() int64 {
	u := d.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) string() string {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.ok, d.rest = false, ""
		return ""
	}
	return d.take(int(n))
}

func (d *decoder) digest() (v digest.Digest) {
	copy(v[:], d.take(len(v)))
	return v
}
