package key

import (
	"math"
	"strings"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/workspace"
)

// A record of a key (8.3) is a text of its own kind: key, mark of the secret, time and run; components 1 to 4 as they are fed into
// the key; upstreams with all that is known of them; then the environment, in which a digest salted with the secret stands for each
// value, so that a value is neither kept nor can it be guessed from the record alone (S-13).
//
// Its first state.RecordHead bytes, up to the mark, say whether one on disk need not be replaced.
const (
	wordKey    = "key"
	wordSecret = "secret"
	wordMade   = "made"
)

// maxParts is how many items a record has at most: words of the command, output patterns, inputs, upstreams, variables. Of a key
// with more, the head alone is recorded: reading the record, which anybody may have made, must not take much memory.
const maxParts = 1 << 18

// Recorded says which run made a record, and when.
type Recorded struct {
	Run  string
	Unix int64
	Key  digest.Digest
}

// Record serializes the components of a derived key for `why --diff` (8.3); environment values are salted digests.
func (d *Deriver) Record(t *workspace.Task, at *Derived, secret []byte, run string, unix int64) []byte {
	c := d.components(t, at.Inputs, at.Upstreams)
	c.salt(secret)
	return c.record(Recorded{Run: run, Unix: max(unix, 0), Key: at.Key}, secret, len(c.argv)+len(c.outputs)+len(c.inputs)+len(c.upstreams)+len(c.env) <= maxParts)
}

// salt puts salted digests in the place of values.
func (c *components) salt(secret []byte) {
	for i := range c.env {
		if v := &c.env[i]; v.present {
			v.sum, v.value = salted(secret, v), ""
		}
	}
}

// record writes a record, or its head alone.
func (c *components) record(made Recorded, secret []byte, whole bool) []byte {
	w := text.Writer{B: make([]byte, 0, 1024+128*len(c.inputs))}
	w.Head(recordKind, chapterRevision, c.hash)
	w.Line(wordKey)
	w.Digest(made.Key)
	w.Line(wordSecret)
	w.Digest(markOf(secret))
	if !whole {
		return append(w.B, '\n')
	}
	w.Line(wordMade)
	w.Num(made.Unix)
	w.Str(made.Run)
	c.writeBody(&w)
	for i := range c.upstreams {
		c.upstreams[i].writeRecord(&w)
	}
	for i := range c.env {
		v := &c.env[i]
		w.Line(wordEnv)
		w.Str(v.name)
		w.Word(choose(v.host, wordHost, wordOverride))
		if v.present {
			w.Digest(v.sum)
		} else {
			w.Word(wordAbsent)
		}
	}
	w.Seal(c.hash)
	return w.B
}

const (
	wordHost     = "host"
	wordOverride = "override"
)

func choose(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// markOf tells records of different secrets apart without telling anything of the secret.
func markOf(secret []byte) digest.Digest {
	return hasher.Sum(digest.BLAKE3, append([]byte("haz: mark of a secret\x00"), secret...))
}

// salted is what a record keeps of a value. The name is part of it, so that equal values of two variables do not show.
func salted(secret []byte, v *variable) digest.Digest {
	b := append([]byte("haz: value of a variable\x00"), secret...)
	b = append(append(b, v.name...), 0)
	return hasher.Sum(digest.BLAKE3, append(b, v.value...))
}

// readRecord is the inverse of Record. Values of variables are salted digests.
func readRecord(record, secret []byte) (c *components, made Recorded, ok bool) {
	r := reader{Reader: text.Read(record), parts: maxParts}
	revision, hash := r.Head(recordKind)
	fn, known := digest.ParseFunction(hash)
	r.Line(wordKey)
	made.Key = r.Digest()
	r.Line(wordSecret)
	if mark := r.Digest(); revision != chapterRevision || !known || mark != markOf(secret) {
		return nil, made, false
	}
	c = &components{hash: fn}
	r.Line(wordMade)
	made.Unix, made.Run = r.Num(), r.str()
	r.body(c)
	for r.item(wordUpstream) {
		c.upstreams = append(c.upstreams, r.upstream())
	}
	for r.item(wordEnv) {
		v := variable{name: r.str(), host: r.either(wordHost, wordOverride)}
		if v.present = !r.Next(wordAbsent); v.present {
			v.sum = r.Digest()
		}
		c.env = append(c.env, v)
	}
	r.Verify()
	return c, made, r.Err() == nil
}

// FromRecord is the key that a record was made of, and its inputs, without their stat.
func FromRecord(record, secret []byte) (*Derived, bool) {
	c, made, ok := readRecord(record, secret)
	if !ok {
		return nil, false
	}
	return &Derived{Key: made.Key, Inputs: c.inputs}, true
}

// reader reads the components that a record holds.
type reader struct {
	*text.Reader
	parts int // that may still come
}

// item begins the next line if it is one of that word.
func (r *reader) item(word string) bool {
	if !r.At(word) {
		return false
	}
	if r.parts--; r.parts < 0 {
		r.Fail(text.ErrSpelling)
		return false
	}
	r.Line(word)
	return true
}

func (r *reader) str() string { return r.Str(math.MaxInt) }

// either reads one of two words, and reports whether it is the first.
func (r *reader) either(first, second string) bool {
	if r.Next(first) {
		return true
	}
	if !r.Next(second) {
		r.Fail(text.ErrSpelling)
	}
	return false
}

func (r *reader) body(c *components) {
	r.Line(wordPlace)
	c.place.OS, c.place.Arch = r.str(), r.str()
	c.place.Umask = r.Octal(math.MaxUint32)
	if c.dir = r.str(); c.dir == "/" {
		c.dir = ""
	}
	r.action(c)
	for r.item(wordOutput) {
		o := outputPattern{kind: choose(r.either("glob", "literal"), "glob", "literal")}
		o.text = r.str()
		c.outputs = append(c.outputs, o)
	}
	if c.keeps = r.At(wordIncremental); c.keeps {
		r.Line(wordIncremental)
	}
	for r.item(wordInput) {
		c.inputs = append(c.inputs, r.input())
	}
}

func (r *reader) action(c *components) {
	for r.item(wordCommand) {
		c.argv = append(c.argv, r.str())
	}
	if c.shell = len(c.argv) == 0 && r.item(wordShell); !c.shell {
		return
	}
	c.argv = append(c.argv, r.str())
	for r.item(wordOption) {
		c.argv = append(c.argv, r.str())
	}
	var script strings.Builder
	r.Line(wordScript)
	script.WriteString(r.str())
	for r.At(wordScript) {
		r.Line(wordScript)
		script.WriteByte('\n')
		script.WriteString(r.str())
	}
	c.argv = append(c.argv, script.String())
}

func (r *reader) input() (in Input) {
	in.Path = r.str()
	switch {
	case r.Next(wordDir):
		in.Kind = DirInput
		return in
	case r.Next(wordLink):
		in.Kind, in.LinkText = LinkInput, r.str()
		switch {
		case r.Next(wordDir):
			in.Target = TargetDir
			return in
		case r.Next(wordAbsent):
			return in
		}
		in.Target = TargetFile
	default:
		in.Kind = FileInput
	}
	in.Exec = r.either(wordExecutable, wordFile)
	in.Digest = r.Digest()
	return in
}
