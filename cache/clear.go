package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/haz-build/haz/fsys"
)

// Clear removes the cache (CACHE-021); fine when there is none. The root is renamed to trash and then deleted, so that it
// is gone in one step; one that cannot be renamed (a mount point), or is a link to a directory, is emptied instead. A run
// in progress is not harmed: its stores report an error, its lookups miss.
func (s *Store) Clear(ctx context.Context) error {
	s.mu.Lock()
	if s.root != nil {
		_ = s.root.Close()
		s.root = nil
	}
	s.made, s.trouble = false, nil
	s.mu.Unlock()
	info, err := s.ws.Lstat(cacheDir)
	switch {
	case isAbsent(err):
		return nil
	case err != nil:
		return s.notCleared(err)
	case info.Kind != fsys.Link:
		if err := s.ensureState(); err == nil {
			trash := stateDir + "/" + clearedPrefix + s.suffix()
			if s.ws.Rename(cacheDir, trash) == nil {
				return s.removeCleared(trash)
			}
		}
	}
	return s.empty(ctx)
}

// removeCleared deletes what was the cache root. A run in progress may go on writing there through its own handle; what it
// puts there while we delete is trash all the same, and left to the sweep if it does not stop.
func (s *Store) removeCleared(trash string) error {
	for range 5 {
		err := s.ws.RemoveAll(trash)
		if err == nil || isAbsent(err) {
			return nil
		}
		if !errors.Is(err, syscall.ENOTEMPTY) && !errors.Is(err, fs.ErrExist) {
			return s.notCleared(err)
		}
	}
	return nil
}

func (s *Store) notCleared(err error) error {
	return fmt.Errorf("the cache %s cannot be cleared: %w", s.ws.HostPath(cacheDir), cause(err))
}

// empty removes all that lies in the cache root, each thing in one step as far as a reader can see.
func (s *Store) empty(ctx context.Context) error {
	root, err := s.ws.Sub(cacheDir)
	if isAbsent(err) {
		return nil // gone, or a link to nothing: either way it holds nothing
	}
	if err != nil {
		return s.notCleared(err)
	}
	defer root.Close()
	list, err := root.List("/")
	if err != nil {
		return s.notCleared(err)
	}
	var first error
	for _, e := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := "/" + e.Name
		err := s.evict(root, name)
		if err != nil {
			err = root.RemoveAll(name)
		}
		if err != nil && !isAbsent(err) && first == nil {
			first = err
		}
	}
	if first != nil {
		return s.notCleared(first)
	}
	return nil
}
