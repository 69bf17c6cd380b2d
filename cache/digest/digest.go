// Package digest names bytes: the digests of files, streams, outputs and keys, and the two hash functions of CACHE-002. It
// only knows names; package hasher computes them.
package digest

import "encoding/hex"

// Size of a digest in bytes, for both functions.
const Size = 32

// Digest is the digest of some bytes.
type Digest [Size]byte

// Hex is the lower-case spelling, 64 digits.
func (d Digest) Hex() string { return hex.EncodeToString(d[:]) }

// Short is the first 8 digits, for people.
func (d Digest) Short() string { return hex.EncodeToString(d[:4]) }

// IsZero reports whether d was never set.
func (d Digest) IsZero() bool { return d == Digest{} }

// Function is a hash function; its value is the identifier in keys (CACHE-002).
type Function uint8

const (
	BLAKE3 Function = 0
	SHA256 Function = 1
)

// ParseFunction reads the name as settings and manifests spell it.
func ParseFunction(s string) (Function, bool) {
	switch s {
	case "blake3":
		return BLAKE3, true
	case "sha256":
		return SHA256, true
	}
	return 0, false
}

func (f Function) String() string {
	if f == SHA256 {
		return "sha256"
	}
	return "blake3"
}
