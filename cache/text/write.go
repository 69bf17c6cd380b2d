// Package text is the one spelling of what haz keeps: lines of fields, the last of which is a digest of all before it.
//
//	haz manifest 4 blake3
//	key 8cbc…
//	file 644 12 af13… /lib/out/a.o
//	link "/lib/out/to b" b
//	digest 02aa…
//
// The first line says what it is, of which revision, and which hash function serves. A line is a word and its fields, one space
// between. A field is a number, an octal mode of three digits or more, the 64 digits of a digest, a word or a text. A text stands
// as it is, or, when it is empty or holds a space, a quote, a backslash, a control character or bytes that are no UTF-8, between
// quotes; in these \" \\ \n \t and, byte by byte, \x1b stand for what would not show.
//
// Everything has one spelling: what a Reader takes is byte for byte what a Writer makes of it. So equal texts are equal values, and
// two texts differ in the lines in which the values do.
package text

import (
	"strconv"
	"unicode/utf8"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
)

// A Writer appends lines to B, which is empty at first.
type Writer struct{ B []byte }

// Head writes the first line.
func (w *Writer) Head(kind string, revision int, fn digest.Function) {
	w.Line("haz")
	w.Word(kind)
	w.Num(int64(revision))
	w.Word(fn.String())
}

// Line begins the next line.
func (w *Writer) Line(word string) {
	if len(w.B) > 0 {
		w.B = append(w.B, '\n')
	}
	w.B = append(w.B, word...)
}

// Word writes lower-case letters and digits.
func (w *Writer) Word(s string) { w.B = append(append(w.B, ' '), s...) }

// Num writes a number that is not negative.
func (w *Writer) Num(n int64) { w.B = strconv.AppendInt(append(w.B, ' '), n, 10) }

// Int writes a number that may be negative, Uint one that may be larger than any int64.
func (w *Writer) Int(n int64)   { w.B = strconv.AppendInt(append(w.B, ' '), n, 10) }
func (w *Writer) Uint(n uint64) { w.B = strconv.AppendUint(append(w.B, ' '), n, 10) }

// Octal writes permission bits.
func (w *Writer) Octal(mode uint32) {
	w.B = append(w.B, ' ')
	for at := uint32(0o100); mode < at && at > 1; at >>= 3 {
		w.B = append(w.B, '0')
	}
	w.B = strconv.AppendUint(w.B, uint64(mode), 8)
}

// Digest writes the digits of d.
func (w *Writer) Digest(d digest.Digest) {
	var hex [1 + 2*digest.Size]byte
	hex[0] = ' '
	for i, c := range d {
		hex[1+2*i], hex[2+2*i] = digits[c>>4], digits[c&15]
	}
	w.B = append(w.B, hex[:]...)
}

const digits = "0123456789abcdef"

// Str writes a text: any bytes.
func (w *Writer) Str(s string) { w.B = appendStr(append(w.B, ' '), s) }

// Sum ends the last line and returns the digest of all lines.
func (w *Writer) Sum(fn digest.Function) digest.Digest {
	w.B = append(w.B, '\n')
	return hasher.Sum(fn, w.B)
}

// Seal writes the last line, with the digest of all others.
func (w *Writer) Seal(fn digest.Function) {
	sum := w.Sum(fn)
	w.B = append(w.B, SealWord...)
	w.Digest(sum)
	w.B = append(w.B, '\n')
}

const (
	SealWord = "digest" // begins the last line

	// SealSize is the length of the last line.
	SealSize = len(SealWord) + 1 + 2*digest.Size + 1
)

// isBare reports whether s stands without quotes.
func isBare[T string | []byte](s T) bool {
	all := uint8(0)
	for i := range len(s) {
		all |= classes[s[i]]
	}
	return len(s) > 0 && all&quoted == 0 && (all&high == 0 || hidden(string(s)) < 0)
}

// What a byte says of the text that it is in.
const (
	quoted = 1 // it needs quotes
	high   = 2 // it is not ASCII
)

var classes = func() (of [256]uint8) {
	for c := range of {
		switch {
		case c <= ' ', c == '"', c == '\\', c == 0x7f:
			of[c] = quoted
		case c >= utf8.RuneSelf:
			of[c] = high
		}
	}
	return of
}()

// hidden is the index of the first byte in s that cannot stand for itself, beyond ASCII; -1 when there is none.
func hidden(s string) int {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r >= 0x80 && r < 0xa0 {
			return i
		}
		i += n
	}
	return -1
}

func appendStr(b []byte, s string) []byte {
	if isBare(s) {
		return append(b, s...)
	}
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if hidden(s[i:i+n]) < 0 {
				b = utf8.AppendRune(b, r)
			} else {
				for _, c := range []byte(s[i : i+n]) {
					b = append(b, '\\', 'x', digits[c>>4], digits[c&15])
				}
			}
			i += n
			continue
		}
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < ' ' || c == 0x7f:
			b = append(b, '\\', 'x', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
		i++
	}
	return append(b, '"')
}

// Len is how many bytes the spelling of s has; of most texts, so many as s.
func Len(s string) int {
	if isBare(s) {
		return len(s)
	}
	return len(appendStr(nil, s))
}
