package manifest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/text"
)

// A small entry is packed (CACHE-037): what its streams and files hold lies in the manifest's file, behind the manifest, so that it is made,
// found and read as one file. Inodes, not bytes, are what storing a small result costs.
//
// The contents are stdout, stderr, and what the files hold, in their order, equal ones once. How long each is stands in the manifest, so
// nothing separates them. Whoever has such a manifest has contents of which the digests were compared.

// MaxPacked is how many bytes of contents are packed at most.
const MaxPacked = 64 << 10

// Packed reports whether the contents lie behind the manifest.
func (m *Manifest) Packed() bool { return m.Revision == RevisionPacked }

// Packable reports whether the contents of m are small enough to lie behind it.
func (m *Manifest) Packable() bool {
	n, err := m.contentsSize()
	return err == nil && n <= MaxPacked
}

// contentsSize is what the contents add up to. An error says that the manifest names one content with two sizes.
func (m *Manifest) contentsSize() (int64, error) {
	n := m.StdoutLen + m.StderrLen
	err := m.eachFile(func(i int, first bool) {
		if first {
			n += m.Outputs[i].Size
		}
	})
	return n, err
}

// eachFile yields the outputs that are files; first: no earlier one has the same content.
func (m *Manifest) eachFile(yield func(i int, first bool)) error {
	var seen map[digest.Digest]int64
	for i := range m.Outputs {
		o := &m.Outputs[i]
		if o.Kind != entry.File {
			continue
		}
		size, again := seen[o.Digest]
		if again && size != o.Size {
			return fmt.Errorf("two sizes for the content of %s", o.Path)
		}
		yield(i, !again)
		if len(m.Outputs) > 1 && !again {
			if seen == nil {
				seen = make(map[digest.Digest]int64, min(len(m.Outputs), 1<<10))
			}
			seen[o.Digest] = o.Size
		}
	}
	return nil
}

// EncodePacked writes m and its contents as the bytes of its file; of is the content of an output that is a file. ok is false where this is too
// long to be read in one piece; then the entry is not packed. m gets the revision of what it is.
func EncodePacked(m *Manifest, stdout, stderr []byte, of func(o *entry.Output) []byte) (b []byte, ok bool, err error) {
	was := m.Revision
	m.Revision = RevisionPacked
	if b, err = Encode(m); err != nil {
		return nil, false, err
	}
	n, _ := m.contentsSize() // Encode has looked at it
	whole := int64(len(b)) + n
	if whole > smallManifest {
		m.Revision = was
		return nil, false, nil
	}
	b = append(append(b, stdout...), stderr...)
	_ = m.eachFile(func(i int, first bool) {
		if first {
			b = append(b, of(&m.Outputs[i])...)
		}
	})
	if int64(len(b)) != whole {
		return nil, false, errContents
	}
	return b, true, nil
}

var (
	errContents = errors.New("what lies behind it is not as long as it says")
	errAfter    = errors.New("bytes after the end")
	errLong     = errors.New("longer than one that is packed")
)

// checkPacked: a manifest that says that it is packed says of how many bytes.
func (m *Manifest) checkPacked() error {
	if !m.Packed() {
		return nil
	}
	n, err := m.contentsSize()
	if err == nil && n > MaxPacked {
		err = fmt.Errorf("%d bytes are packed; at most %d are allowed", n, MaxPacked)
	}
	return err
}

// unpack takes what lies behind the manifest, and compares its digests.
func (m *Manifest) unpack(rest []byte) error {
	if !m.Packed() {
		if len(rest) > 0 {
			return errAfter
		}
		return nil
	}
	if n, err := m.contentsSize(); err != nil || int64(len(rest)) != n {
		return errContents
	}
	take := func(n int64) (content []byte) {
		content, rest = rest[:n:n], rest[n:]
		return content
	}
	m.stdout, m.stderr = take(m.StdoutLen), take(m.StderrLen)
	if hasher.Sum(m.Hash, m.stdout) != m.StdoutHash {
		return errors.New("stdout, which lies behind it, is not what was recorded")
	}
	if hasher.Sum(m.Hash, m.stderr) != m.StderrHash {
		return errors.New("stderr, which lies behind it, is not what was recorded")
	}
	var bad error
	m.contents = make(map[digest.Digest][]byte, min(len(m.Outputs), 1<<10))
	err := m.eachFile(func(i int, first bool) {
		if o := &m.Outputs[i]; first {
			b := take(o.Size)
			if m.contents[o.Digest] = b; bad == nil && hasher.Sum(m.Hash, b) != o.Digest {
				bad = fmt.Errorf("%s, which lies behind it, is not what was recorded", m.NameBlob(i))
			}
		}
	})
	return errors.Join(err, bad)
}

// split parts the bytes of a file into the manifest, which ends with its digest, and what lies behind it.
func split(b []byte) (manifest, rest []byte) {
	i := bytes.Index(b, []byte("\n"+text.SealWord+" ")) // no text spells a line feed
	if i < 0 || len(b)-i-1 < text.SealSize {
		return b, nil
	}
	i += 1 + text.SealSize
	return b[:i], b[i:]
}

// PackedStreams are the bytes of both streams of a packed entry that was read.
func (m *Manifest) PackedStreams() (stdout, stderr []byte) { return m.stdout, m.stderr }

// PackedBlob are the bytes of an output of a packed entry that was read, a file.
func (m *Manifest) PackedBlob(o *entry.Output) []byte { return m.contents[o.Digest] }
