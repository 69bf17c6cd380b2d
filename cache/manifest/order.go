package manifest

import (
	"errors"
	"math"
	"strconv"
)

// StreamOrder says how the bytes of stdout and stderr followed each other: lengths of pieces in decimal, separated by commas, of
// stdout and stderr in turn, stdout first (with 0 where stderr was). It is empty when that says nothing: one of both is empty, or
// all of stdout came before all of stderr.
type StreamOrder string

// maxOrder bounds the spelling of an order, in bytes.
const maxOrder = maxText

var errOrder = errors.New("the order of the streams does not fit them")

// Pieces yields what follows what: length bytes of stderr, or of stdout. Of an empty order all of stdout, then all of stderr.
func (o StreamOrder) Pieces(stdout, stderr int64) func(yield func(stderr bool, length int64) bool) {
	return func(yield func(bool, int64) bool) {
		if o == "" {
			_ = stdout > 0 && !yield(false, stdout) || stderr > 0 && yield(true, stderr)
			return
		}
		second := false
		for rest := o; rest != ""; second = !second {
			n, more, ok := rest.next()
			if !ok || n > 0 && !yield(second, n) {
				return
			}
			rest = more
		}
	}
}

// next takes the first length off; ok is false when it is not spelled as Order.String spells it.
func (o StreamOrder) next() (n int64, rest StreamOrder, ok bool) {
	i := 0
	for i < len(o) && o[i] != ',' {
		c := o[i]
		if c < '0' || c > '9' || i == 1 && o[0] == '0' || n > (math.MaxInt64-int64(c-'0'))/10 {
			return 0, "", false
		}
		n = 10*n + int64(c-'0')
		i++
	}
	if i == 0 {
		return 0, "", false
	}
	if i < len(o) {
		if i++; i == len(o) {
			return 0, "", false
		}
	}
	return n, o[i:], true
}

// check compares the order with the lengths of the streams.
func (o StreamOrder) check(stdout, stderr int64) error {
	if o == "" {
		return nil
	}
	if len(o) > maxOrder {
		return errOrder
	}
	count, sum := 0, [2]int64{}
	for rest := o; rest != ""; count++ {
		n, more, ok := rest.next()
		if !ok || n == 0 && count > 0 || n > math.MaxInt64-sum[count%2] {
			return errOrder
		}
		sum[count%2] += n
		rest = more
	}
	if sum[0] != stdout || sum[1] != stderr || stdout == 0 || stderr == 0 || count < 3 {
		return errOrder
	}
	return nil
}

// An OrderRecorder notes how two streams follow each other. Its memory is bounded: of streams that take turns very often it keeps
// the order of longer pieces. The zero value is ready.
type OrderRecorder struct {
	pieces []int64 // of stdout and stderr in turn
}

// maxPieces is how many pieces are kept.
const maxPieces = 8 << 10

// Add notes the next n bytes.
func (r *OrderRecorder) Add(stderr bool, n int) {
	if n <= 0 {
		return
	}
	if len(r.pieces) == 0 && stderr {
		r.pieces = append(r.pieces, 0)
	}
	if last := len(r.pieces) - 1; last >= 0 && (last%2 == 1) == stderr {
		r.pieces[last] += int64(n)
		return
	}
	if len(r.pieces) == maxPieces {
		r.coarsen()
		r.Add(stderr, n)
		return
	}
	r.pieces = append(r.pieces, int64(n))
}

// coarsen makes one turn of two: what came of each stream in both stays in order, and between the streams by the turn.
func (r *OrderRecorder) coarsen() {
	turns := r.pieces[:0]
	for i := 0; i < len(r.pieces); i += 4 {
		var sum [2]int64
		for j := i; j < min(i+4, len(r.pieces)); j++ {
			sum[j%2] += r.pieces[j]
		}
		turns = append(turns, sum[0])
		if sum[1] > 0 {
			turns = append(turns, sum[1])
		}
	}
	r.pieces = turns
}

// Order is what was noted.
func (r *OrderRecorder) Order() StreamOrder {
	for len(r.pieces) > 2 {
		var b []byte
		for i, n := range r.pieces {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, n, 10)
		}
		if len(b) <= maxOrder {
			return StreamOrder(b)
		}
		r.coarsen()
	}
	return "" // one stream, or all of stdout first
}
