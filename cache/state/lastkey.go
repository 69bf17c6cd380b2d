package state

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"slices"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/fsys"
)

// LastKeyKind is the kind of the text that a last key is. Package key makes and reads it; its first lines are the head, `task`, `key` and
// `secret`, its last but one begins with `made` and a time.
const LastKeyKind = "lastkey"

// RecordHead are the first four lines of a last key, which say which it is: two records with equal ones tell of the same key and secret,
// and differ at most in run and time.
func RecordHead(record []byte) []byte {
	end := 0
	for range 4 {
		end += bytes.IndexByte(record[end:], '\n') + 1
	}
	return record[:end]
}

// LastKey is the record of the components of the last key that a run derived for a task (8.3).
func (s *State) LastKey(task string) ([]byte, bool) {
	record, _, _, ok := s.keys.get(task)
	return record, ok
}

// WriteLastKey appends the record, unless the last one has the same head (8.3: when the key differs). In the place of one that is
// too long to be kept stands its head alone: what was written before must not pass for the last one.
func (s *State) WriteLastKey(task string, record []byte) {
	if s.home.readOnly {
		return
	}
	head := RecordHead(record)
	if old, ok := s.LastKey(task); ok && bytes.Equal(RecordHead(old), head) {
		return
	}
	if !s.keys.fits(task, record) {
		w := text.Writer{B: bytes.Clone(head[:len(head)-1])}
		record = s.keys.end(&w, s.today())
	}
	s.keys.put(task, record)
}

const (
	secretName = "secret"
	secretSize = digest.Size
)

// Secret is the salt of environment digests, made once per workspace (mode 0600). ok is false when it can be neither read
// nor made. Of several haz that make one at the same moment, where there was none, the first wins.
func (s *State) Secret(create bool) (secret []byte, ok bool) {
	s.making.Lock() // two that each make one would not both find their own on disk
	defer s.making.Unlock()
	s.mu.Lock()
	secret = s.secret
	s.mu.Unlock()
	if secret != nil {
		return slices.Clone(secret), true
	}
	secret, ok = s.readSecret()
	if !ok && create {
		secret = make([]byte, secretSize)
		if _, err := rand.Read(secret); err != nil {
			return nil, false
		}
		file := secretText(secret)
		err := s.home.writeFirst(secretName, file)
		if secret, ok = s.readSecret(); !ok && errors.Is(err, fs.ErrExist) { // what is there is damaged
			s.home.remove(secretName)
			err = s.home.writeFirst(secretName, file)
			secret, ok = s.readSecret()
		}
		if err != nil && !ok {
			s.note(couldNotWrite, secretName, err)
		}
	}
	if !ok {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secret == nil {
		s.secret = secret
	}
	return slices.Clone(s.secret), true
}

func (s *State) readSecret() ([]byte, bool) {
	data, _, err := s.home.read(secretName, 4*secretSize+maxEnd)
	if err != nil {
		if !errors.Is(err, fsys.ErrTooLong) { // such a one is as a damaged one
			s.note(couldNotRead, secretName, err)
		}
		return nil, false
	}
	r := text.Read(data)
	revision, _ := r.Head(secretName)
	r.Line(secretName)
	secret := r.Digest()
	r.Verify()
	return secret[:], r.Err() == nil && revision == recordRevision
}

// secretText is the text that a secret is kept as.
func secretText(secret []byte) []byte {
	var w text.Writer
	w.Head(secretName, recordRevision, digest.BLAKE3)
	w.Line(secretName)
	w.Digest(digest.Digest(secret)) // as many random bytes
	w.Seal(digest.BLAKE3)
	return w.B
}
