// Package manifest is what an entry says of itself: the values, the one spelling that they have on disk, and the checks that
// every reader makes (chapter 2, 7.2). It looks at no blob.
package manifest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
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
	CreatedAt              int64 // unix seconds
	DurationMS             int64
	Task                   string
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

// A manifest has one spelling: the fields in this order, two-space indentation, and strings in which only what JSON
// demands is escaped. So decoding and encoding again gives the same bytes, and a reader need not be lenient.
const (
	wordRevision = "{\n  \"chapter_revision\": "
	wordHash     = ",\n  \"hash_function\": \""
	wordKey      = "\",\n  \"key\": \""
	wordRoot     = "\",\n  \"root\": \""
	wordRootIn   = "\",\n  \"root_in\": \""
	wordOutputs  = "\",\n  \"outputs\": ["
	wordItem     = "\n    {\n      \"workspace_absolute_path\": \""
	wordKind     = "\",\n      \"kind\": \""
	wordContent  = "\",\n      \"content_hash\": \""
	wordSize     = "\",\n      \"size\": "
	wordMode     = ",\n      \"mode\": "
	wordDirMode  = "\",\n      \"mode\": "
	wordTarget   = "\",\n      \"target\": \""
	wordItemEnd  = "\n    }"
	wordListEnd  = "\n  ]"
	wordStdout   = ",\n  \"stdout_len\": "
	wordStderr   = ",\n  \"stderr_len\": "
	wordStdoutH  = ",\n  \"stdout_hash\": \""
	wordStderrH  = "\",\n  \"stderr_hash\": \""
	wordOrder    = "\",\n  \"stream_order\": \""
	wordExit     = "\",\n  \"exit_status\": "
	wordCreated  = ",\n  \"created_at_unix\": "
	wordDuration = ",\n  \"duration_ms\": "
	wordTask     = ",\n  \"task\": \""
	wordSelf     = "\",\n  \"manifest_hash\": \""
	wordEnd      = "\"\n}\n"
)

// maxItem is how long an output is in a manifest at most, but for its path and link text.
const maxItem = len(","+wordItem+wordKind+"file"+wordContent+wordSize+wordMode+wordItemEnd) + 2*digest.Size + len("9223372036854775807") + len("511")

const zeroDigits = "0000000000000000000000000000000000000000000000000000000000000000"

// Encode writes m as the bytes of manifest.json, its own digest included (S-31). A manifest that Decode would turn down is
// an error here, so nothing is ever published that reads as damaged.
func Encode(m *Manifest) ([]byte, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	size := 1024
	for i := range m.Outputs {
		size += maxItem + len(m.Outputs[i].Path) + len(m.Outputs[i].Target)
	}
	b := make([]byte, 0, size)
	b = append(b, wordRevision...)
	b = strconv.AppendInt(b, int64(m.Revision), 10)
	b = append(b, wordHash...)
	b = append(b, m.Hash.String()...)
	b = append(b, wordKey...)
	b = hex.AppendEncode(b, m.Key[:])
	b = append(b, wordRoot...)
	b = appendText(b, m.Root)
	b = append(b, wordRootIn...)
	b = appendText(b, m.RootIn)
	b = append(b, wordOutputs...)
	for i := range m.Outputs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendOutput(b, &m.Outputs[i])
	}
	if len(m.Outputs) > 0 {
		b = append(b, wordListEnd...)
	} else {
		b = append(b, ']')
	}
	b = append(b, wordStdout...)
	b = strconv.AppendInt(b, m.StdoutLen, 10)
	b = append(b, wordStderr...)
	b = strconv.AppendInt(b, m.StderrLen, 10)
	b = append(b, wordStdoutH...)
	b = hex.AppendEncode(b, m.StdoutHash[:])
	b = append(b, wordStderrH...)
	b = hex.AppendEncode(b, m.StderrHash[:])
	b = append(b, wordOrder...)
	b = append(b, m.Order...)
	b = append(b, wordExit...)
	b = strconv.AppendInt(b, int64(m.ExitStatus), 10)
	b = append(b, wordCreated...)
	b = strconv.AppendInt(b, m.CreatedAt, 10)
	b = append(b, wordDuration...)
	b = strconv.AppendInt(b, m.DurationMS, 10)
	b = append(b, wordTask...)
	b = appendText(b, m.Task)
	b = append(b, wordSelf...)
	at := len(b)
	b = append(b, zeroDigits...)
	b = append(b, wordEnd...)
	if len(b) > maxManifest {
		return nil, fmt.Errorf("the manifest would have %d bytes; at most %d are allowed", len(b), maxManifest)
	}
	self := hasher.Sum(m.Hash, b)
	hex.Encode(b[at:], self[:])
	return b, nil
}

func appendOutput(b []byte, o *entry.Output) []byte {
	b = append(b, wordItem...)
	b = appendText(b, o.Path)
	b = append(b, wordKind...)
	b = append(b, o.Kind.String()...)
	switch o.Kind {
	case entry.File:
		b = append(b, wordContent...)
		b = hex.AppendEncode(b, o.Digest[:])
		b = append(b, wordSize...)
		b = strconv.AppendInt(b, o.Size, 10)
		b = append(b, wordMode...)
		b = strconv.AppendUint(b, uint64(o.Mode), 10)
	case entry.Dir:
		b = append(b, wordDirMode...)
		b = strconv.AppendUint(b, uint64(o.Mode), 10)
	case entry.Link:
		b = append(b, wordTarget...)
		b = appendText(b, o.Target)
		b = append(b, '"')
	}
	return append(b, wordItemEnd...)
}

// appendText spells s inside a JSON string. Only the quote, the backslash and control characters are escaped, these as
// \u00xx; s is valid UTF-8 (check has seen to that).
func appendText(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		if c < 0x20 {
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		} else {
			b = append(b, '\\', c)
		}
	}
	return append(b, s[from:]...)
}

// spelledLen is how many bytes appendText adds.
func spelledLen(s string) int {
	n := len(s)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < 0x20:
			n += 5
		case c == '"' || c == '\\':
			n++
		}
	}
	return n
}

// Check holds what a manifest must be beyond its spelling. Encode and Decode share it, so that both agree on what is valid.
func (m *Manifest) Check() error {
	if m.Revision != Revision || m.Hash > digest.SHA256 {
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
	if m.CreatedAt < 0 || m.DurationMS < 0 {
		return errors.New("negative time")
	}
	if err := checkText(m.Task); err != nil {
		return fmt.Errorf("task name: %w", err)
	}
	return nil
}

// checkRoot: an entry that is bound says to what and why.
func (m *Manifest) checkRoot() error {
	if m.Root == "" && m.RootIn == "" {
		return nil
	}
	if err := checkText(m.Root); err != nil || m.Root == "" {
		return errors.New("no root that it could be bound to")
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
	if len(s) > maxText/6 && spelledLen(s) > maxText {
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
	if c.texts += spelledLen(o.Path) + spelledLen(o.Target); c.texts > maxTexts {
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
