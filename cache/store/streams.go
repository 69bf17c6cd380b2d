package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/site"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
)

// Streams verifies and returns the streams of an entry. spoolDir is a directory for spool files in the workspace file
// system; it is used, and made if need be, only for a stream longer than 64 KiB, which is copied there while it is
// verified: what is shown later is what was looked at, whatever becomes of the entry. The caller removes the files.
//
// Errors are *RestoreError or ctx.Err(); then there is no spool file.
func (s *Store) Streams(ctx context.Context, m *manifest.Manifest, spoolDir string) (stdout, stderr Stream, err error) {
	if m.StdoutLen == 0 && m.StderrLen == 0 && m.StdoutHash == s.none && m.StderrHash == s.none {
		return Stream{Digest: s.none}, Stream{Digest: s.none}, nil // the lookup has seen their sizes
	}
	if m.Packed() {
		stdout, stderr = Stream{Len: m.StdoutLen, Digest: m.StdoutHash}, Stream{Len: m.StderrLen, Digest: m.StderrHash}
		stdout.Bytes, stderr.Bytes = m.PackedStreams()
		return stdout, stderr, nil
	}
	root, err := s.Open()
	if err != nil {
		return stdout, stderr, &RestoreError{Reason: "the cache cannot be opened: " + fsys.Cause(err).Error(), Err: err}
	}
	dir := site.EntryOf(m.Key)
	stdout, err = s.stream(ctx, root, m, dir, site.StdoutName, Stream{Len: m.StdoutLen, Digest: m.StdoutHash}, spoolDir)
	if err != nil {
		return Stream{}, Stream{}, err
	}
	stderr, err = s.stream(ctx, root, m, dir, site.StderrName, Stream{Len: m.StderrLen, Digest: m.StderrHash}, spoolDir)
	if err != nil {
		stdout.Drop(s.WS)
		return Stream{}, Stream{}, err
	}
	return stdout, stderr, nil
}

// Printed is Streams of an entry of which only the key, and the lengths and digests of the streams, are known: want, none longer than 64 KiB. Nothing
// is set aside. ok is false where they are not what is wanted.
func (s *Store) Printed(ctx context.Context, k entry.Key, wantOut, wantErr Stream) (stdout, stderr []byte, ok bool) {
	root, err := s.Open()
	if err != nil {
		return nil, nil, false
	}
	if stdout, stderr, ok = manifest.ReadPrinted(root, site.EntryOf(k), wantOut.Len, wantErr.Len); ok {
		return stdout, stderr, hasher.Sum(s.Hash, stdout) == wantOut.Digest && hasher.Sum(s.Hash, stderr) == wantErr.Digest
	}
	m := &manifest.Manifest{Key: k, StdoutLen: wantOut.Len, StderrLen: wantErr.Len, StdoutHash: wantOut.Digest, StderrHash: wantErr.Digest}
	wantOut, wantErr, err = s.Streams(ctx, m, "")
	return wantOut.Bytes, wantErr.Bytes, err == nil
}

// Drop removes the spool file, if there is one.
func (r *Stream) Drop(ws fsys.FS) {
	if r.Path != "" {
		_ = ws.Remove(r.Path)
	}
}

// stream reads one stream. want says its length and digest.
func (s *Store) stream(ctx context.Context, root fsys.FS, m *manifest.Manifest, dir, name string, want Stream, spoolDir string) (Stream, error) {
	if want.Len <= streamMemory {
		b, _, err := root.ReadFile(dir+"/"+name, streamMemory)
		switch {
		case errors.Is(err, fsys.ErrTooLong):
			return Stream{}, s.Damaged(m, name+" is longer than recorded")
		case err != nil:
			return Stream{}, s.SourceError(m, name, err)
		case int64(len(b)) != want.Len || hasher.Sum(s.Hash, b) != want.Digest:
			return Stream{}, s.Damaged(m, name+" is not what was recorded")
		}
		want.Bytes = b
		return want, nil
	}
	if spoolDir == "" { // joined to a name it would be the root of the workspace
		return Stream{}, &RestoreError{Reason: name + " cannot be spooled: no directory was given"}
	}
	want.Path = site.Join(spoolDir, m.Key.Hex()+"-"+s.Suffix()+"-"+name)
	err := s.spool(ctx, root, dir+"/"+name, want)
	if errors.Is(err, fs.ErrNotExist) && site.IsWriteError(err) {
		if err = state.MakeDir(s.WS, spoolDir); err == nil {
			err = s.spool(ctx, root, dir+"/"+name, want)
		}
	}
	switch {
	case err == nil:
		return want, nil
	case ctx.Err() != nil:
		return Stream{}, ctx.Err()
	case errors.Is(err, site.ErrOther):
		return Stream{}, s.Damaged(m, name+" is not what was recorded")
	case site.IsWriteError(err):
		return Stream{}, &RestoreError{Reason: fmt.Sprintf("%s cannot be spooled: %v", name, fsys.Cause(err)), Err: err}
	}
	return Stream{}, s.SourceError(m, name, err)
}

func (s *Store) spool(ctx context.Context, root fsys.FS, from string, want Stream) error {
	f, err := root.OpenNoFollow(from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := fsys.FileInfo(f)
	if err != nil {
		return err
	}
	if info.Size != want.Len {
		return site.ErrOther
	}
	d, _, err := site.WriteFile(ctx, s.WS, want.Path, site.FilePerm, f, want.Len, s.Hash)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return site.ErrOther
	case err != nil:
		return err
	case d != want.Digest:
		_ = s.WS.Remove(want.Path)
		return site.ErrOther
	}
	return nil
}

// SourceError turns a failure to read a part of an entry into what a restore reports: what is missing or of another
// kind is damage, what cannot be read right now is not.
func (s *Store) SourceError(m *manifest.Manifest, name string, err error) error {
	switch {
	case fsys.Absent(err):
		return s.Damaged(m, name+" is missing")
	case site.IsForeignKind(err):
		return s.Damaged(m, name+" is no regular file")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return s.Damaged(m, name+" is shorter than recorded")
	}
	return &RestoreError{Reason: fmt.Sprintf("%s of the cache entry cannot be read: %v", name, fsys.Cause(err)), Err: err}
}
