//go:build darwin || freebsd || netbsd || openbsd

package fsys

import (
	"slices"

	"golang.org/x/sys/unix"
)

// exactHere are the file systems whose times are believed. A write through a mapping moves them when the system has written it
// back, half a minute later or so: nothing here tells it earlier.
var exactHere = []string{"apfs", "hfs", "ufs", "ffs", "zfs", "nfs"}

func (h *host) Volume(name string) (Volume, error) {
	fd, err := h.openat(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return Volume{}, pathError("open", Clean(name), err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := fstat(fd, &st); err != nil {
		return Volume{}, pathError("stat", Clean(name), err)
	}
	kind, err := kindOfVolume(fd)
	if err != nil {
		return Volume{}, pathError("statfs", Clean(name), err)
	}
	v := Volume{Dev: uint64(st.Dev), Foreign: true}
	if slices.Contains(exactHere, kind) {
		v.Times, v.Foreign = TimesExact, kind == "nfs"
	}
	return v, nil
}

// Unwritten: nobody tells here.
func (h *host) Unwritten(string) (Info, bool) { return Info{}, false }

func unwrittenFD(int) bool { return false }

// MappingTells is not asked: no file system here is TimesLayered.
func (h *host) MappingTells(string) (bool, error) { return false, nil }
