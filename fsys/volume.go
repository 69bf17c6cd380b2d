package fsys

// Volume is what is known of the file system that a name lies on, a mount.
type Volume struct {
	Dev   uint64 // as in Info
	Times Times
	// Mount tells this mount from all others since the system started, and Super this use of the device (which may be mounted at
	// many places, and is another one once the last of them was unmounted); 0: unknown. Old kernels give a Mount out again.
	Mount, Super uint64
	// Foreign says that the times of its files come from the clock of another machine, or may: they cannot be compared with those of
	// another file system.
	Foreign bool
}

// IsMountOf reports whether v is surely the mount that was seen before, or another one of the same use of the device.
func (v *Volume) IsMountOf(was Volume) bool {
	unknown := v.Mount|v.Super|was.Mount|was.Super == 0 // elsewhere than on Linux
	return v.Mount != 0 && v.Mount == was.Mount || v.Super != 0 && v.Super == was.Super || unknown
}

// Times says what an equal stat (Info.Same) proves on a file system about the bytes of a file.
type Times uint8

const (
	// TimesLoose: nothing. A write through a mapping may leave mtime and ctime as they were (tmpfs), ctime is made up or comes from
	// a server that nobody knows (FUSE, 9p, SMB, FAT), or the file system is none that was looked into.
	TimesLoose Times = iota
	// TimesMarked: that nothing was written, but through a mapping that was open before the stat: a page of it can be written to
	// without a sign from its first write until the system has written it back (ext4, XFS, btrfs and others). See FS.Unwritten.
	TimesMarked
	// TimesLayered: what an equal stat proves on another file system, which lies below and is not named (overlay). It is as
	// TimesMarked or as TimesLoose; FS.MappingTells finds out. Unwritten does not see mappings whose file was closed.
	TimesLayered
	// TimesExact: that nothing was written. Nothing can be, or a look at a file makes the system write back what is mapped.
	TimesExact
)

func (t Times) String() string {
	switch t {
	case TimesMarked:
		return "marked"
	case TimesLayered:
		return "layered"
	case TimesExact:
		return "exact"
	}
	return "loose"
}
