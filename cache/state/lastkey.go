package state

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"slices"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys"
)

// RecordHead is how many bytes at the beginning of a record of package key say which it is: two records with equal ones
// tell of the same key and secret, and differ at most in run and time. They are three lines; all hash functions have names of one length.
const RecordHead = len("haz lastkey 4 blake3\n") + len("key \n") + len("secret \n") + 4*digest.Size

// LastKey is the record of the components of the last key that a run derived for a task (8.3), as canonical bytes made by
// package key; state adds its own digest and writes it whole.
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
	if old, ok := s.LastKey(task); ok && len(old) >= RecordHead && len(record) >= RecordHead &&
		string(old[:RecordHead]) == string(record[:RecordHead]) {
		return
	}
	if !s.keys.fits(task, len(record)) {
		record = record[:min(RecordHead, len(record))]
	}
	s.keys.put(task, s.today(), record)
}

const (
	secretName = "secret"
	secretSize = 32
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
		file := seal(secretMagic, append(newFrame(secretSize), secret...))
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
	data, _, err := s.home.read(secretName, frameSize+secretSize)
	if err != nil {
		if !errors.Is(err, fsys.ErrTooLong) { // such a one is as a damaged one
			s.note(couldNotRead, secretName, err)
		}
		return nil, false
	}
	payload, ok := unseal(secretMagic, data)
	if !ok || len(payload) != secretSize {
		return nil, false
	}
	return payload, true
}
