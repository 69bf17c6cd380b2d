// Package manifest is what an entry says of itself: the values, the one spelling that they have on disk, and the checks that
// every reader makes (chapter 2, 7.2). It looks at no blob.
package manifest

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/text"
)

// Manifest is the table of contents of an entry (7.2, CACHE-011).
type Manifest struct {
	Revision               int
	Hash                   digest.Function
	Key                    entry.Key
	Root                   string         // the workspace that alone may use it, because an output holds its path; "": any
	RootIn                 string         // that output
	Outputs                []entry.Output // sorted by path
	StdoutLen, StderrLen   int64
	StdoutHash, StderrHash digest.Digest
	Order                  StreamOrder // how the bytes of both followed each other
	ExitStatus             int
	Attempt                int   // on which it was made, when that was a later one than the first; else 0
	CreatedAt              int64 // unix seconds
	DurationMS             int64
	Task                   string

	stdout, stderr []byte                   // of a packed one that was read
	contents       map[digest.Digest][]byte // likewise, of files
}

// Footprint is the sum of the bytes that the manifest declares: both streams and every output. It cannot overflow in a
// manifest that was decoded.
func (m *Manifest) Footprint() int64 {
	n := m.StdoutLen + m.StderrLen
	for i := range m.Outputs {
		n += m.Outputs[i].Size
	}
	return n
}

// kind is what the first line calls a manifest.
const kind = "manifest"

// The words that lines begin with, in their order. Those of outputs are the names of their kinds, and come before the streams.
const (
	wordKey     = "key"
	wordRoot    = "root"
	wordStdout  = "stdout"
	wordStderr  = "stderr"
	wordOrder   = "order"
	wordExit    = "exit"
	wordAttempt = "attempt"
	wordCreated = "created"
	wordTask    = "task"
)

// maxItem is how long an output is in a manifest at most, but for its path and link text.
const maxItem = len("file 511 9223372036854775807  \n") + 2*digest.Size

// Encode writes m as the bytes of its file, its own digest included (S-31), without what lies behind that of a packed entry. A manifest that Decode would turn down is
// an error here, so nothing is ever published that reads as damaged.
func Encode(m *Manifest) ([]byte, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	size := 1024
	for i := range m.Outputs {
		size += maxItem + len(m.Outputs[i].Path) + len(m.Outputs[i].Target)
	}
	w := text.Writer{B: make([]byte, 0, size)}
	w.Head(kind, m.Revision, m.Hash)
	w.Line(wordKey)
	w.Digest(m.Key)
	if m.Root != "" {
		w.Line(wordRoot)
		w.Str(m.Root)
		w.Str(m.RootIn)
	}
	for i := range m.Outputs {
		writeOutput(&w, &m.Outputs[i])
	}
	w.Line(wordStdout)
	w.Num(m.StdoutLen)
	w.Digest(m.StdoutHash)
	w.Line(wordStderr)
	w.Num(m.StderrLen)
	w.Digest(m.StderrHash)
	if m.Order != "" {
		w.Line(wordOrder)
		w.Str(string(m.Order))
	}
	w.Line(wordExit)
	w.Num(int64(m.ExitStatus))
	if m.Attempt != 0 {
		w.Line(wordAttempt)
		w.Num(int64(m.Attempt))
	}
	w.Line(wordCreated)
	w.Num(m.CreatedAt)
	w.Num(m.DurationMS)
	w.Line(wordTask)
	w.Str(m.Task)
	w.Seal(m.Hash)
	if len(w.B) > maxManifest {
		return nil, fmt.Errorf("the manifest would have %d bytes; at most %d are allowed", len(w.B), maxManifest)
	}
	return w.B, nil
}

func writeOutput(w *text.Writer, o *entry.Output) {
	w.Line(o.Kind.String())
	if o.Kind != entry.Link {
		w.Octal(o.Mode)
	}
	if o.Kind == entry.File {
		w.Num(o.Size)
		w.Digest(o.Digest)
	}
	w.Str(o.Path)
	if o.Kind == entry.Link {
		w.Str(o.Target)
	}
}

// Check holds what a manifest must be beyond its spelling. Encode and Decode share it, so that both agree on what is valid.
func (m *Manifest) Check() error {
	if m.Revision != Revision && m.Revision != RevisionPacked || m.Hash > digest.SHA256 {
		return &SchemaError{Revision: m.Revision, Hash: m.Hash.String()}
	}
	if len(m.Outputs) > maxOutputs {
		return fmt.Errorf("%d outputs; at most %d are allowed", len(m.Outputs), maxOutputs)
	}
	var c outputsChecker
	for i := range m.Outputs {
		if err := c.next(&m.Outputs[i]); err != nil {
			return err
		}
	}
	return m.checkRest(c.total)
}

// checkRest checks the fields after the outputs, whose sizes add up to total.
func (m *Manifest) checkRest(total int64) error {
	for _, n := range [...]int64{m.StdoutLen, m.StderrLen} {
		if n < 0 {
			return errors.New("negative length of a stream")
		}
		if total > math.MaxInt64-n {
			return errors.New("the declared sizes overflow")
		}
		total += n
	}
	if err := m.Order.check(m.StdoutLen, m.StderrLen); err != nil {
		return err
	}
	if err := m.checkRoot(); err != nil {
		return err
	}
	if m.ExitStatus != 0 {
		return fmt.Errorf("exit status %d: only successes are stored (CACHE-018)", m.ExitStatus)
	}
	if m.Attempt < 0 || m.Attempt == 1 {
		return errAttempt
	}
	if m.CreatedAt < 0 || m.DurationMS < 0 {
		return errors.New("negative time")
	}
	if err := checkText(m.Task); err != nil {
		return fmt.Errorf("task name: %w", err)
	}
	return m.checkPacked()
}

var errAttempt = errors.New("an attempt is written down only if it is a later one than the first")

var errNoRoot = errors.New("no root that it could be bound to")

// checkRoot: an entry that is bound says to what and why.
func (m *Manifest) checkRoot() error {
	if m.Root == "" && m.RootIn == "" {
		return nil
	}
	if err := checkText(m.Root); err != nil || m.Root == "" {
		return errNoRoot
	}
	if m.Find(m.RootIn) < 0 {
		return fmt.Errorf("it is bound to a root because of %q, which is no output", m.RootIn[:min(len(m.RootIn), 200)])
	}
	return nil
}

func checkText(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("not UTF-8")
	}
	if len(s) > (maxText-2)/4 && text.Len(s) > maxText {
		return fmt.Errorf("longer than %d bytes", maxText)
	}
	return nil
}

// outputsChecker checks outputs one after the other.
type outputsChecker struct {
	last   string
	total  int64
	count  int
	places int // outputs, and folders that they lie in
	texts  int // bytes of paths and link texts, as they are spelled
	// leaves are the earlier files and links whose text is a prefix of the last path, shortest first: the only ones that
	// the next path can lie below, since in byte order all that begins with a text follows it without a gap.
	leaves []string
}

func (c *outputsChecker) next(o *entry.Output) error {
	if err := CheckPath(o.Path); err != nil {
		return err
	}
	if o.Path <= c.last { // "" at first, and no path is empty
		if o.Path == c.last {
			return fmt.Errorf("output %q is listed twice", o.Path)
		}
		return fmt.Errorf("output %q is not in order", o.Path)
	}
	if err := c.measure(o); err != nil {
		return err
	}
	c.last = o.Path
	for len(c.leaves) > 0 {
		top := c.leaves[len(c.leaves)-1]
		if len(top) <= len(o.Path) && o.Path[:len(top)] == top {
			break
		}
		c.leaves = c.leaves[:len(c.leaves)-1]
	}
	for _, leaf := range c.leaves {
		if o.Path[len(leaf)] == '/' {
			return fmt.Errorf("output %q lies below %q, which is no directory", o.Path, leaf)
		}
	}
	switch o.Kind {
	case entry.File:
		if o.Size < 0 || c.total > math.MaxInt64-o.Size {
			return fmt.Errorf("output %q: size %d is out of range", o.Path, o.Size)
		}
		c.total += o.Size
	case entry.Link:
		if o.Target == "" {
			return fmt.Errorf("output %q: empty link text", o.Path)
		}
		if strings.IndexByte(o.Target, 0) >= 0 {
			return fmt.Errorf("output %q: NUL in the link text", o.Path)
		}
		if err := checkText(o.Target); err != nil {
			return fmt.Errorf("output %q: link text: %w", o.Path, err)
		}
	case entry.Dir:
	default:
		return fmt.Errorf("output %q: unknown kind", o.Path)
	}
	if o.Kind != entry.Dir {
		c.leaves = append(c.leaves, o.Path)
	}
	if o.Kind != entry.File && (o.Size != 0 || !o.Digest.IsZero()) || o.Kind != entry.Link && o.Target != "" {
		return fmt.Errorf("output %q: field of another kind", o.Path)
	}
	if o.Mode > 0o777 || o.Kind == entry.Link && o.Mode != 0 {
		return fmt.Errorf("output %q: mode %#o is not allowed", o.Path, o.Mode)
	}
	return nil
}

// measure adds what o takes of the limits. All that lies in a folder begins with its path and a slash, so in byte order each folder
// is entered once.
func (c *outputsChecker) measure(o *entry.Output) error {
	if c.count++; c.count > maxOutputs {
		return fmt.Errorf("more than %d outputs", maxOutputs)
	}
	c.texts += text.Len(o.Path)
	if o.Target != "" {
		c.texts += text.Len(o.Target)
	}
	if c.texts > maxTexts {
		return fmt.Errorf("paths and link texts of the outputs are longer than %d MiB", maxTexts>>20)
	}
	same := 0
	for same < len(c.last) && same < len(o.Path) && c.last[same] == o.Path[same] {
		same++
	}
	// The folder of the last path that ends here was entered only if a slash followed it there, too.
	if c.places += 1 + strings.Count(o.Path[same:], "/"); same == 0 {
		c.places-- // the root is no folder of anybody
	}
	if c.places > maxPlaces {
		return fmt.Errorf("the outputs and the folders that they lie in are more than %d", maxPlaces)
	}
	return nil
}

// A SchemaError says that a manifest is of another revision or hash function.
type SchemaError struct {
	Revision int
	Hash     string
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("revision %d with %s", e.Revision, e.Hash)
}

// Same reports whether both say the same.
func (m *Manifest) Same(o *Manifest) bool {
	x, y := *m, *o
	x.Outputs, y.Outputs = nil, nil
	for _, m := range []*Manifest{&x, &y} { // of which the digests stand in the rest
		m.stdout, m.stderr, m.contents = nil, nil, nil
	}
	return reflect.DeepEqual(x, y) && slices.Equal(m.Outputs, o.Outputs)
}

// NameBlob is what messages call the blob of output i: "blob 2 of 3", counting files.
func (m *Manifest) NameBlob(i int) string {
	n, of := 0, 0
	for j := range m.Outputs {
		if m.Outputs[j].Kind == entry.File {
			of++
			if j <= i {
				n++
			}
		}
	}
	return fmt.Sprintf("blob %d of %d", n, of)
}

// Find is the index of the output at path, -1 when there is none.
func (m *Manifest) Find(path string) int {
	i, ok := slices.BinarySearchFunc(m.Outputs, path, func(o entry.Output, p string) int { return strings.Compare(o.Path, p) })
	if !ok {
		return -1
	}
	return i
}
