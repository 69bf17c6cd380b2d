//go:build darwin || freebsd || netbsd || openbsd

package fsys

import "os"

// Elsewhere os.Root does it all.

func (h *host) inParent(string, func(dir int, base string) error) (error, bool) { return nil, false }

func (h *host) openFileBeneath(string, int, os.FileMode) (*os.File, error, bool) {
	return nil, nil, false
}
func (h *host) mkdirBeneath(string, os.FileMode) (error, bool) { return nil, false }
func (h *host) removeBeneath(string) (error, bool)             { return nil, false }
func (h *host) symlinkBeneath(string, string) (error, bool)    { return nil, false }
func (h *host) linkBeneath(string, string) (error, bool)       { return nil, false }
func (h *host) renameBeneath(string, string) (error, bool)     { return nil, false }
