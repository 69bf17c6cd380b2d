package state

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
)

// The head of a file that is used where it lies and so is no text, a stat index, what tasks stand on, or what others keep here: what it is and which layout it has, how many
// bytes follow, and their digest.
const (
	magicSize = 8
	frameSize = magicSize + 8 + digest.Size
)

const (
	indexMagic    = "hazidx02"
	standingMagic = "hazstd02"
	keptMagic     = "hazkpt01"
)

// newFrame begins a file; the payload is appended to it, then seal completes it. size is a guess of the payload's.
func newFrame(size int) []byte { return make([]byte, frameSize, frameSize+size) }

// newFrame begins a file that counts for this start of the system alone; the payload, of about so many bytes, is appended to it, then seal completes it.
func (s *State) newFrame(size int) []byte { return append(newFrame(len(s.boot)+size), s.boot[:]...) }

// readFrame is the payload of such a file, of at most so many bytes; nil where there is none to be believed. The error is that of a read.
func (s *State) readFrame(name, magic string, most int64) ([]byte, error) {
	if !s.ofThisStart(name, magic) {
		return nil, nil
	}
	data, _, err := s.home.read(name, most)
	if err != nil {
		return nil, err
	}
	payload, ok := unseal(magic, data)
	if !ok || !bytes.HasPrefix(payload, s.boot[:]) {
		return nil, nil
	}
	return payload[len(s.boot):], nil
}

// ofThisStart reports whether a file on disk is of this start of the system, and as long as it says, by its first bytes. Of one that
// came with a workspace nothing more is read: nobody elsewhere knows what they have to be.
func (s *State) ofThisStart(name, magic string) bool {
	d, err := s.home.open()
	if err != nil {
		return isStale(err) // what that means read finds out
	}
	f, err := d.Open("/" + name)
	if err != nil {
		return true
	}
	defer f.Close()
	head := make([]byte, frameSize+len(s.boot))
	if _, err = io.ReadFull(f, head); err != nil || string(head[:magicSize]) != magic || string(head[frameSize:]) != string(s.boot[:]) {
		return false
	}
	info, err := fsys.FileInfo(f)
	return err == nil && binary.LittleEndian.Uint64(head[magicSize:]) == uint64(info.Size-frameSize)
}

// byFunction is the name of a file in which digests of the function are.
func (s *State) byFunction(name string) string {
	if s.fn == digest.BLAKE3 {
		return name
	}
	return name + "-" + s.fn.String()
}

// seal fills the head in.
func seal(magic string, file []byte) []byte {
	// The sum covers the payload alone; a head that is damaged does not fit it, or is no head.
	copy(file, headOf(magic, len(file)-frameSize, hasher.Sum(digest.BLAKE3, file[frameSize:])))
	return file
}

// headOf is the head of a payload of so many bytes.
func headOf(magic string, size int, sum digest.Digest) []byte {
	b := append(make([]byte, 0, frameSize), magic...)
	return append(binary.LittleEndian.AppendUint64(b, uint64(size)), sum[:]...)
}

// unseal returns the payload of a file that holds together.
func unseal(magic string, file []byte) ([]byte, bool) {
	if len(file) < frameSize || string(file[:magicSize]) != magic ||
		binary.LittleEndian.Uint64(file[magicSize:]) != uint64(len(file)-frameSize) {
		return nil, false
	}
	payload := file[frameSize:]
	sum := hasher.Sum(digest.BLAKE3, payload)
	return payload, string(sum[:]) == string(file[magicSize+8:frameSize])
}
