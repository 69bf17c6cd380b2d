package store

import (
	"context"
	"io"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/site"
)

// pack is fill for an entry that is small enough to be one file (CACHE-037); done is false where it is not.
func (s *Store) pack(ctx context.Context, st *site.Staging, r StoreRequest, m *manifest.Manifest) (done bool, err error) {
	if r.Stdout.Path != "" || r.Stderr.Path != "" || !m.Packable() {
		return false, nil
	}
	p := packer{s: s, search: rootSearch{l: s.seek}}
	if err := s.eachContent(ctx, r, m, &p.search, func(o *entry.Output, left int) error { return p.add(o, left) }); err != nil {
		return false, err
	}
	if err := r.Stdout.check(s, site.StdoutName); err != nil {
		return false, err
	}
	if err := r.Stderr.check(s, site.StderrName); err != nil {
		return false, err
	}
	if err := s.placeFor(st.Root, m); err != nil {
		return false, cannotWrite(err)
	}
	file, ok, err := manifest.EncodePacked(m, r.Stdout.Bytes, r.Stderr.Bytes, func(o *entry.Output) []byte { return p.have[o.Digest] })
	if err != nil || !ok {
		return false, err
	}
	if err := site.WriteNew(st.Dir, "/"+manifest.ManifestName, file, site.FilePerm); err != nil {
		return false, cannotWrite(err)
	}
	return true, ctx.Err()
}

// packer reads outputs into memory, equal contents once.
type packer struct {
	s      *Store
	have   map[digest.Digest][]byte
	search rootSearch
}

// add reads o, which must be what was collected, as blobWriter does.
func (p *packer) add(o *entry.Output, left int) error {
	if _, ok := p.have[o.Digest]; ok {
		return nil
	}
	b := make([]byte, o.Size)
	err := p.s.readOutput(o, func(f io.Reader) (digest.Digest, error) {
		if _, err := io.ReadFull(p.search.over(f), b); err != nil {
			return digest.Digest{}, cannotRead(o.Path, err)
		}
		return hasher.Sum(p.s.Hash, b), nil
	})
	if err != nil {
		return err
	}
	if p.have == nil {
		p.have = make(map[digest.Digest][]byte, min(left, 64))
	}
	p.have[o.Digest] = b
	return nil
}
