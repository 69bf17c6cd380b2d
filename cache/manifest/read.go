package manifest

import (
	"bytes"
	"errors"
	"syscall"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/fsys"
)

// ReadManifest reads and decodes the manifest of the entry directory.
func ReadManifest(root fsys.FS, dir string) (*Manifest, *entry.Miss) {
	name := dir + "/" + ManifestName
	b, _, err := root.ReadFile(name, smallManifest)
	var m *Manifest
	switch {
	case err == nil:
		m, err = Decode(b)
	case fsys.Absent(err):
		return nil, &entry.Miss{Reason: entry.NoEntry}
	case errors.Is(err, fsys.ErrTooLong):
		var miss *entry.Miss
		if m, miss, err = streamManifest(root, name); miss != nil {
			return nil, miss
		}
	default:
		return nil, notReadable(root, name, err)
	}
	var foreign *SchemaError
	var read *text.ReadError
	switch {
	case err == nil:
		return m, nil
	case errors.As(err, &foreign):
		return nil, &entry.Miss{Reason: entry.Schema, Detail: foreign.Error()}
	case errors.As(err, &read):
		return nil, &entry.Miss{Reason: entry.Unreadable, Detail: fsys.Cause(read.Err).Error()}
	}
	return nil, &entry.Miss{Reason: entry.Damaged, Detail: "manifest: " + err.Error()}
}

// ReadPrinted reads the streams of a packed entry, of which somebody knows the lengths, and looks at nothing else: their digests are for the caller to
// compare. ok is false where it is no such entry.
func ReadPrinted(root fsys.FS, dir string, stdoutLen, stderrLen int64) (stdout, stderr []byte, ok bool) {
	b, _, err := root.ReadFile(dir+"/"+ManifestName, smallManifest)
	if err != nil {
		return nil, nil, false
	}
	own, rest := split(b)
	n := int64(len(rest))
	if revision, _ := text.Read(own).Head(kind); revision != RevisionPacked || stdoutLen < 0 || stdoutLen > n || stderrLen < 0 || stderrLen > n-stdoutLen {
		return nil, nil, false
	}
	return bytes.Clone(rest[:stdoutLen]), bytes.Clone(rest[stdoutLen : stdoutLen+stderrLen]), true // the rest of the file is not kept
}

// streamManifest decodes a manifest that is too long to be read in one piece.
func streamManifest(root fsys.FS, name string) (*Manifest, *entry.Miss, error) {
	f, err := root.OpenNoFollow(name)
	if err != nil {
		return nil, notReadable(root, name, err), nil
	}
	defer f.Close()
	m, err := DecodeFrom(f)
	return m, nil, err
}

// notReadable tells a manifest that is no regular file from one that cannot be read right now.
func notReadable(root fsys.FS, name string, err error) *entry.Miss {
	info, lookErr := root.Lstat(name)
	if lookErr == nil && info.Kind != fsys.File || errors.Is(lookErr, syscall.ELOOP) {
		return &entry.Miss{Reason: entry.Damaged, Detail: "manifest is no regular file"}
	}
	return &entry.Miss{Reason: entry.Unreadable, Detail: "manifest: " + fsys.Cause(err).Error()}
}
