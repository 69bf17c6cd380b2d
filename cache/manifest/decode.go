package manifest

import (
	"io"
	"math"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/text"
)

// Decode reads the file of a manifest and checks everything that can be checked without looking at other files, its own digest and what lies behind
// it included. That stays with the manifest, so b must not change.
//
// The error is a *SchemaError when the manifest is of another revision or of no known hash function.
func Decode(b []byte) (*Manifest, error) {
	own, rest := split(b)
	m, err := read(text.Read(own))
	if err == nil {
		err = m.unpack(rest)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// DecodeFrom is Decode for a manifest that is too long to be read in one piece, and so is not packed. Memory grows with what was read and found
// valid, never with a number that the file claims. The error is a *text.ReadError when r cannot be read.
func DecodeFrom(r io.Reader) (*Manifest, error) {
	m, err := read(text.Stream(r, maxManifest))
	if err == nil && m.Packed() {
		err = errLong
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

func read(r *text.Reader) (*Manifest, error) {
	revision, hash := r.Head(kind)
	if err := r.Err(); err != nil {
		return nil, err
	}
	fn, known := digest.ParseFunction(hash)
	if revision != Revision && revision != RevisionPacked || !known {
		return nil, &SchemaError{Revision: revision, Hash: hash}
	}
	m := &Manifest{Revision: revision, Hash: fn}
	r.Line(wordKey)
	m.Key = r.Digest()
	if r.At(wordRoot) {
		r.Line(wordRoot)
		if m.Root, m.RootIn = r.Str(maxText), r.Str(maxText); m.Root == "" {
			r.Fail(errNoRoot)
		}
	}
	declared := m.readOutputs(r)
	m.readRest(r)
	if r.Err() == nil {
		if err := m.checkRest(declared); err != nil {
			return nil, err
		}
	}
	if r.Verify(); r.Err() != nil {
		return nil, r.Err()
	}
	return m, nil
}

// readOutputs returns what the sizes of all outputs add up to.
func (m *Manifest) readOutputs(r *text.Reader) int64 {
	var c outputsChecker
	for {
		var o entry.Output
		switch {
		case r.At("file"):
			o.Kind = entry.File
		case r.At("dir"):
			o.Kind = entry.Dir
		case r.At("link"):
			o.Kind = entry.Link
		default:
			return c.total
		}
		readOutput(r, &o)
		if r.Err() != nil {
			return 0
		}
		if err := c.next(&o); err != nil {
			r.Fail(err)
			return 0
		}
		m.Outputs = append(m.Outputs, o)
	}
}

func readOutput(r *text.Reader, o *entry.Output) {
	r.Line(o.Kind.String())
	if o.Kind != entry.Link {
		o.Mode = r.Octal(0o777)
	}
	if o.Kind == entry.File {
		o.Size, o.Digest = r.Num(), r.Digest()
	}
	o.Path = r.Str(maxText)
	if o.Kind == entry.Link {
		o.Target = r.Str(maxText)
	}
}

func (m *Manifest) readRest(r *text.Reader) {
	r.Line(wordStdout)
	m.StdoutLen, m.StdoutHash = r.Num(), r.Digest()
	r.Line(wordStderr)
	m.StderrLen, m.StderrHash = r.Num(), r.Digest()
	if r.At(wordOrder) {
		r.Line(wordOrder)
		if m.Order = StreamOrder(r.Str(maxOrder)); m.Order == "" {
			r.Fail(errOrder)
		}
	}
	r.Line(wordExit)
	m.ExitStatus = int(min(r.Num(), math.MaxInt32))
	if r.At(wordAttempt) {
		r.Line(wordAttempt)
		if m.Attempt = int(min(r.Num(), math.MaxInt32)); m.Attempt < 2 {
			r.Fail(errAttempt)
		}
	}
	r.Line(wordCreated)
	m.CreatedAt, m.DurationMS = r.Num(), r.Num()
	r.Line(wordTask)
	m.Task = r.Str(maxText)
}
