package packed

import (
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// all has a value of each kind.
type all struct {
	n       uint64
	u       uint8
	i       int
	j       int32
	b       bool
	f       float64
	s, r    string
	raw     [5]byte
	p, q    *int
	l, m    []string
	nested  []all
	pointer *all
}

type packing struct {
	ints    Pointers[int]
	alls    Pointers[all]
	strings Strings
	nested  Slices[all]
}

func (k *packing) all(c *Coder, a *all) {
	c.Uint64(&a.n)
	Uint(c, &a.u)
	Int(c, &a.i)
	Int(c, &a.j)
	c.Bool(&a.b)
	c.Float(&a.f)
	c.String(&a.s)
	c.String(&a.r)
	c.Raw(a.raw[:])
	k.ints.Code(c, &a.p, func(n *int) { Int(c, n) })
	k.ints.Code(c, &a.q, func(n *int) { Int(c, n) })
	k.strings.Code(c, &a.l)
	k.strings.Code(c, &a.m)
	k.nested.Code(c, &a.nested, 20, func(a *all) { k.all(c, a) })
	k.alls.Code(c, &a.pointer, func(a *all) { k.all(c, a) })
}

func drawAll(t *rapid.T, deep int) all {
	text := rapid.StringN(0, 8, 20)
	list := rapid.OneOf(rapid.Just[[]string](nil), rapid.SliceOfN(text, 0, 3))
	a := all{n: rapid.Uint64().Draw(t, "n"), u: rapid.Uint8().Draw(t, "u"), i: rapid.Int().Draw(t, "i"), j: rapid.Int32().Draw(t, "j"), b: rapid.Bool().Draw(t, "b"),
		f: rapid.Float64().Draw(t, "f"), s: text.Draw(t, "s"), r: text.Draw(t, "r"), l: list.Draw(t, "l"), m: list.Draw(t, "m")}
	copy(a.raw[:], text.Draw(t, "raw"))
	n := rapid.Int().Draw(t, "p")
	if a.p = &n; rapid.Bool().Draw(t, "same") {
		a.q, a.m = a.p, a.l
	}
	if deep > 0 {
		one := drawAll(t, deep-1)
		a.pointer, a.nested = &one, []all{one, one}
	}
	return a
}

// What is written is read, and what was shared is.
func TestReadsWhatItWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawAll(t, 2)
		w := Write()
		new(packing).all(w, &want)
		var got all
		r := Read(string(w.Bytes()))
		if new(packing).all(r, &got); !r.Ended() || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v came back as %+v", want, got)
		}
		if (want.p == want.q) != (got.p == got.q) {
			t.Error("pointers are shared otherwise")
		}
		if len(want.l) > 0 && len(want.m) > 0 && (&want.l[0] == &want.m[0]) != (&got.l[0] == &got.m[0]) {
			t.Error("slices are shared otherwise")
		}
	})
}

// What does not fit is no value: a number too large for its type, a text outside of all texts, more things than there are bytes for.
func TestReadsNothingElse(t *testing.T) {
	written := func(numbers ...uint64) *Coder {
		w := Write()
		for _, n := range numbers {
			w.Uint64(&n)
		}
		return Read(string(w.Bytes()))
	}
	var (
		u8   uint8
		i32  int32
		b    bool
		s    string
		n    int
		p    *int
		list []string
	)
	for name, c := range map[string]struct {
		from *Coder
		read func(c *Coder)
	}{
		"256":            {written(256), func(c *Coder) { Uint(c, &u8) }},
		"2^32":           {written(1 << 33), func(c *Coder) { Int(c, &i32) }},
		"2":              {written(2), func(c *Coder) { c.Bool(&b) }},
		"a text":         {written(1, 0), func(c *Coder) { c.String(&s) }},
		"its end":        {written(math.MaxUint64, 1), func(c *Coder) { c.String(&s) }},
		"many":           {written(200, 0, 0, 0), func(c *Coder) { c.Count(&n, 1) }},
		"less than none": {written(1, 0), func(c *Coder) { c.Count(&n, 1) }},
		"large ones":     {written(4, 0, 0, 0), func(c *Coder) { c.Count(&n, 2) }},
		"bytes":          {written(1, 1), func(c *Coder) { c.Raw(make([]byte, 3)) }},
		"a pointer":      {written(2, 0), func(c *Coder) { new(Pointers[int]).Code(c, &p, func(*int) {}) }},
		"a slice":        {written(2, 0), func(c *Coder) { new(Strings).Code(c, &list) }},
		"the end":        {written(), func(c *Coder) { c.Uint64(new(uint64)) }},
		"more":           {written(7), func(c *Coder) {}},
		"eleven bytes":   {Read("\x00\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), func(c *Coder) { c.Uint64(new(uint64)) }},
		"65 bits":        {Read("\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), func(c *Coder) { c.Uint64(new(uint64)) }},
		"texts":          {Read("\x05abc"), func(c *Coder) {}},
		"empty":          {Read(""), func(c *Coder) {}},
	} {
		if c.read(c.from); c.from.Ended() {
			t.Errorf("%s: it is read", name)
		}
	}
}

// Values that hold each other without end are neither written nor read.
func TestDepth(t *testing.T) {
	var a all
	for range depthMost + 1 {
		inner := a
		a = all{pointer: &inner}
	}
	w := Write()
	if new(packing).all(w, &a); !w.Failed() {
		t.Error("it is written")
	}
	for n, deep := range map[int]bool{depthMost: false, depthMost + 1: true} {
		w := Write()
		for range n {
			one := uint64(isNew)
			w.Uint64(&one)
		}
		none := uint64(isNil)
		w.Uint64(&none)
		r := Read(string(w.Bytes()))
		type list struct{ next *list }
		var pointers Pointers[list]
		var code func(l *list)
		code = func(l *list) { pointers.Code(r, &l.next, code) }
		if code(&list{}); r.Ended() == deep {
			t.Errorf("%d deep: read %t", n, r.Ended())
		}
	}
}

// Whatever the bytes are, reading ends.
func FuzzRead(f *testing.F) {
	w := Write()
	a := all{s: "x", l: []string{"a", "b"}, nested: make([]all, 2), pointer: &all{}}
	new(packing).all(w, &a)
	f.Add(w.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		var a, b all
		r := Read(string(data))
		if new(packing).all(r, &a); !r.Ended() {
			return
		}
		w := Write()
		new(packing).all(w, &a)
		r = Read(string(w.Bytes()))
		if new(packing).all(r, &b); !r.Ended() || a.s != b.s || len(a.nested) != len(b.nested) {
			t.Errorf("%+v came back as %+v", a, b)
		}
	})
}
