package key

import (
	"bytes"
	"encoding/hex"
	"math"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/workspace"
)

// A record of a key (8.3) is a text of its own kind: task, key, mark of the secret; the arguments that the run gave the task, which are
// no component, but parts of one; components 1 to 4 as they are fed into the key; upstreams
// with all that is known of them; then the environment, in which a digest salted with the secret stands for each value, so that a value is
// neither kept nor can it be guessed from the record alone (S-13); at the end time and run. Its lines up to the mark say whether one on disk
// need not be replaced (state.RecordHead). Of a key that is too long to be kept these are all there is.
const (
	wordTask     = "task"
	wordKey      = "key"
	wordSecret   = "secret"
	wordArgument = "argument" // one each
	wordMade     = "made"
)

// maxLines is how many lines of components a record has at most. Of a key with more, the head alone is recorded: reading the record, which
// anybody may have made, must not take much memory.
const maxLines = 1 << 18

// Recorded says which run made a record, and when.
type Recorded struct {
	Run  string
	Unix int64
	Key  digest.Digest
	// Arguments are what it gave the task.
	Arguments []string
}

// Record writes the components of a derived key down for `why --diff` (8.3); environment values are salted digests.
func (d *Deriver) Record(t *workspace.Task, at *Derived, secret []byte, run string, unix int64) []byte {
	c := d.components(t, at)
	return c.record(t.ID, Recorded{Run: run, Unix: unix, Key: at.Key, Arguments: t.Arguments}, secret, maxLines)
}

// record writes a record, or its head alone where it has more than most lines of components.
func (c *components) record(task workspace.TaskID, made Recorded, secret []byte, most int) []byte {
	w := text.Writer{B: make([]byte, 0, 1024+128*len(c.inputs))}
	w.Head(state.LastKeyKind, chapterRevision, c.hash)
	w.Line(wordTask)
	w.Str(task.String())
	w.Line(wordKey)
	w.Digest(made.Key)
	w.Line(wordSecret)
	w.Digest(markOf(secret))
	head := len(w.B)
	for _, a := range made.Arguments {
		w.Line(wordArgument)
		w.Str(a)
	}
	c.writeBody(&w, true)
	for i := range c.upstreams {
		c.upstreams[i].writeRecord(&w)
	}
	for i := range c.env {
		v := &c.env[i]
		w.Line(wordEnv)
		w.Str(v.name)
		w.Word(choose(v.host, wordHost, choose(v.file, wordFile, wordOverride)))
		if v.present {
			w.Digest(salted(secret, v))
		} else {
			w.Word(wordAbsent)
		}
	}
	if bytes.Count(w.B[head:], []byte{'\n'}) > most {
		w.B = w.B[:head]
	}
	w.Line(wordMade)
	w.Int(made.Unix)
	w.Str(made.Run)
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

// recorded is a record that was read.
type recorded struct {
	Recorded
	hash  digest.Function
	lines lines
}

// lines are the lines of components by the words that they begin with, in their order.
type lines map[string][]line

// line is the fields of a line, the word aside.
type line []string

// maxFields is how many fields a line has at most.
const maxFields = 8

// at is a field; "" where there is none.
func (l line) at(i int) string {
	if i >= len(l) {
		return ""
	}
	return l[i]
}

// readRecord reads a record of at most so many lines of components. It sees to spelling; what the lines say is for whoever asks them.
func readRecord(record, secret []byte, most int) (recorded, bool) {
	r, lines := text.Read(record), lines{}
	revision, hash := r.Head(state.LastKeyKind)
	fn, known := digest.ParseFunction(hash)
	at := recorded{hash: fn, lines: lines}
	r.Line(wordTask)
	r.Str(math.MaxInt)
	r.Line(wordKey)
	at.Key = r.Digest()
	r.Line(wordSecret)
	if mark := r.Digest(); revision != chapterRevision || !known || mark != markOf(secret) {
		return at, false
	}
	for ; r.Err() == nil && !r.At(wordMade); most-- {
		word, fields := r.Any(), make(line, 0, 3)
		for r.More() && len(fields) < maxFields {
			fields = append(fields, r.Str(math.MaxInt))
		}
		if most <= 0 {
			r.Fail(text.ErrSpelling)
		}
		lines[word] = append(lines[word], fields)
	}
	r.Line(wordMade)
	at.Unix, at.Run = r.Int(), r.Str(math.MaxInt)
	r.Verify()
	at.Arguments = lines.texts(wordArgument)
	return at, r.Err() == nil && len(lines[wordPlace]) == 1 // one without is a head alone
}

// LastRun says which run made a record, and when. ok is false when it cannot be read, or was made with another secret.
func LastRun(record, secret []byte) (made Recorded, ok bool) {
	r, ok := readRecord(record, secret, maxLines)
	return r.Recorded, ok
}

// FromRecord is the key that a record was made of, and its inputs, without their stat.
func FromRecord(record, secret []byte) (*Derived, bool) {
	r, ok := readRecord(record, secret, maxLines)
	if !ok {
		return nil, false
	}
	at := &Derived{Key: r.Key, Inputs: make([]Input, 0, len(r.lines[wordInput]))}
	for _, l := range r.lines[wordInput] {
		in := Input{Path: l.at(0)}
		in.Digest, _ = parseDigest(inputOf(l).digest)
		at.Inputs = append(at.Inputs, in)
	}
	return at, true
}

// parseDigest reads the digits of a digest.
func parseDigest(s string) (d digest.Digest, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(d) {
		return d, false
	}
	return digest.Digest(b), true
}
