// Package packed turns values into one string and back: the form of state files that hold what was worked out before.
//
// A Coder either writes or reads, and one function a type serves both ways, so that they cannot come apart:
//
//	func (t *Task) pack(c *packed.Coder) {
//		c.String(&t.Name)
//		packed.Int(c, &t.Timeout)
//	}
//
// Texts are kept once each, and what is read are pieces of the one string that holds them all. What several values share by pointer, or
// as a slice, they share again (Pointers, Slices).
//
// A string that no Coder has written never makes a Coder panic, loop or take more memory than a fixed multiple of its length: what
// does not fit sets Failed, and all that is read from there on is zero.
package packed

import (
	"encoding/binary"
	"math"
	"strings"
)

// Coder writes or reads. The zero value is of no use: Write and Read make one.
type Coder struct {
	reading bool
	failed  bool
	depth   int // of what holds what is coded now

	fields []byte            // written
	texts  strings.Builder   // of all of them, each once
	known  map[string]uint64 // where they begin

	rest string // fields that were not read yet
	text string
}

// Write is a Coder that writes.
func Write() *Coder { return &Coder{known: map[string]uint64{}} }

// Read is a Coder that reads what another one has written. It keeps pieces of the string.
func Read(packed string) *Coder {
	c := &Coder{reading: true, rest: packed}
	var n uint64
	if c.Uint64(&n); n > uint64(len(c.rest)) {
		c.Fail()
		return c
	}
	c.text, c.rest = c.rest[:n], c.rest[n:]
	return c
}

// Reading reports whether it reads.
func (c *Coder) Reading() bool { return c.reading }

// Fail says that what is read cannot be what was written, or that what is to be written has no packed form.
func (c *Coder) Fail() { c.failed, c.rest = true, "" }

// Failed reports whether somebody called Fail. What was read must not be used then.
func (c *Coder) Failed() bool { return c.failed }

// Ended reports whether all was read, and nothing failed.
func (c *Coder) Ended() bool { return !c.failed && c.rest == "" }

// depthMost is how deep values lie in one another at most.
const depthMost = 32

// enter is for what holds other values; depth is to be lowered behind them.
func (c *Coder) enter() bool {
	if c.depth++; c.depth > depthMost {
		c.Fail()
	}
	return !c.failed
}

// Bytes are what was written.
func (c *Coder) Bytes() []byte {
	b := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen64+c.texts.Len()+len(c.fields)), uint64(c.texts.Len()))
	return append(append(b, c.texts.String()...), c.fields...)
}

// Uint64 is a number.
func (c *Coder) Uint64(n *uint64) {
	if !c.reading {
		c.fields = binary.AppendUvarint(c.fields, *n)
		return
	}
	*n = 0
	var v uint64
	for i := 0; i < len(c.rest) && i < binary.MaxVarintLen64; i++ {
		b := c.rest[i]
		if b < 0x80 {
			if i == binary.MaxVarintLen64-1 && b > 1 {
				break
			}
			c.rest = c.rest[i+1:]
			*n = v | uint64(b)<<(7*i)
			return
		}
		v |= uint64(b&0x7f) << (7 * i)
	}
	c.Fail()
}

// Uint is a number of a type without negative ones.
func Uint[T ~uint8 | ~uint32 | ~uint64](c *Coder, n *T) {
	v := uint64(*n)
	if c.Uint64(&v); !c.reading {
		return
	}
	if *n = T(v); uint64(*n) != v {
		c.Fail()
	}
}

// Int is a number.
func Int[T ~int | ~int32 | ~int64](c *Coder, n *T) {
	v := uint64(int64(*n)<<1) ^ uint64(int64(*n)>>63)
	c.Uint64(&v)
	if !c.reading {
		return
	}
	i := int64(v>>1) ^ -int64(v&1)
	if *n = T(i); int64(*n) != i {
		c.Fail()
	}
}

// Bool is true or false.
func (c *Coder) Bool(b *bool) {
	var v uint64
	if *b {
		v = 1
	}
	if c.Uint64(&v); !c.reading {
		return
	}
	if *b = v == 1; v > 1 {
		c.Fail()
	}
}

// Float is a number with all its bits.
func (c *Coder) Float(f *float64) {
	v := math.Float64bits(*f)
	if c.Uint64(&v); c.reading {
		*f = math.Float64frombits(v)
	}
}

// String is a text.
func (c *Coder) String(s *string) {
	n := uint64(len(*s))
	if c.Uint64(&n); n == 0 {
		if c.reading {
			*s = ""
		}
		return
	}
	var at uint64
	if !c.reading {
		var known bool
		if at, known = c.known[*s]; !known {
			at = uint64(c.texts.Len())
			c.texts.WriteString(*s)
			c.known[*s] = at
		}
		c.Uint64(&at)
		return
	}
	if c.Uint64(&at); at > uint64(len(c.text)) || n > uint64(len(c.text))-at {
		c.Fail()
		*s = ""
		return
	}
	*s = c.text[at : at+n]
}

// Raw is n bytes as they are.
func (c *Coder) Raw(b []byte) {
	switch {
	case !c.reading:
		c.fields = append(c.fields, b...)
	case len(c.rest) < len(b):
		c.Fail()
		clear(b)
	default:
		copy(b, c.rest)
		c.rest = c.rest[len(b):]
	}
}

// Count is how many things come next, each of which takes at least so many bytes.
func (c *Coder) Count(n *int, least int) {
	Int(c, n)
	if c.reading && !c.Fits(*n, least) {
		c.Fail()
		*n = 0
	}
}

// Fits reports whether so many things can come.
func (c *Coder) Fits(n, least int) bool { return n >= 0 && n <= len(c.rest)/least }
