package state

import (
	"encoding/binary"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
)

// The head of a file that is used where it lies and so is no text, a stat index, what tasks stand on, or what others keep here: what it is and which layout it has, how many
// bytes follow, and their digest.
const (
	magicSize = 8
	frameSize = magicSize + 8 + digest.Size
)

const (
	indexMagic    = "hazidx02"
	standingMagic = "hazstd01"
)

// newFrame begins a file; the payload is appended to it, then seal completes it. size is a guess of the payload's.
func newFrame(size int) []byte { return make([]byte, frameSize, frameSize+size) }

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
