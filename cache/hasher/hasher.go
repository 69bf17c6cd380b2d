// Package hasher computes digests. It is apart from package digest, so that who only compares and passes them on does not
// bring the code of a hash function along.
package hasher

import (
	"crypto/sha256"
	"hash"

	"github.com/zeebo/blake3"

	"github.com/haz-build/haz/cache/digest"
)

// New starts a digest.
func New(f digest.Function) hash.Hash {
	if f == digest.SHA256 {
		return sha256.New()
	}
	return blake3.New()
}

// Sum is the digest of b.
func Sum(f digest.Function, b []byte) digest.Digest {
	if f == digest.SHA256 {
		return sha256.Sum256(b)
	}
	return blake3.Sum256(b)
}

// Of takes the digest out of a running hash.
func Of(h hash.Hash) digest.Digest {
	var d digest.Digest
	h.Sum(d[:0])
	return d
}
