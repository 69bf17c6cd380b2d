package fsys

import (
	"math/rand/v2"
	"os"
	"path"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// timesOf is what the kinds of file systems are known for (TimesLoose: all others). Only what was looked into is here.
//
// Marked: their page_mkwrite moves the times at the first write to a page that is clean, whether it was read before or not.
// tmpfs and ramfs have none: there, a page that was read is writable at once. NFS: a look at the times writes back what is mapped
// here, and a clean page is marked as above; what another client holds back is as invisible as in any of its files.
var timesOf = map[int64]Times{
	unix.EXT4_SUPER_MAGIC:  TimesMarked, // and ext2, ext3
	0x58465342:             TimesMarked, // XFS
	unix.BTRFS_SUPER_MAGIC: TimesMarked, unix.F2FS_SUPER_MAGIC: TimesMarked, unix.BCACHEFS_SUPER_MAGIC: TimesMarked,
	0x2fc12fc1:                 TimesMarked, // ZFS
	unix.OVERLAYFS_SUPER_MAGIC: TimesLayered,
	unix.NFS_SUPER_MAGIC:       TimesExact,
	unix.SQUASHFS_MAGIC:        TimesExact, unix.ISOFS_SUPER_MAGIC: TimesExact, 0xe0f5e1e2: TimesExact, // EROFS; all of them read-only
}

// isForeign is what Volume.Foreign says of a kind of file system.
func isForeign(kind int64) bool {
	_, known := timesOf[kind]
	return kind == unix.NFS_SUPER_MAGIC || !known && kind != unix.TMPFS_MAGIC && kind != unix.RAMFS_MAGIC
}

func (h *host) Volume(name string) (Volume, error) {
	defer calls.enter(h.dir, name).leave()
	fd, err := h.openat(name, unix.O_PATH)
	if err != nil {
		return Volume{}, pathError("open", Clean(name), err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := fstat(fd, &st); err != nil {
		return Volume{}, pathError("stat", Clean(name), err)
	}
	var sfs unix.Statfs_t
	err = unix.Fstatfs(fd, &sfs)
	for err == unix.EINTR {
		err = unix.Fstatfs(fd, &sfs)
	}
	if err != nil {
		return Volume{}, pathError("statfs", Clean(name), err)
	}
	kind := int64(uint32(sfs.Type))
	return Volume{Dev: uint64(st.Dev), Times: timesOf[kind], Mount: mountOf(fd), Super: superOf(kind, uint64(st.Dev)), Foreign: isForeign(kind)}, nil
}

// mountOf numbers the mount that fd lies on; 0 where the kernel does not. Linux 6.8 and later give no number twice.
func mountOf(fd int) uint64 {
	for _, mask := range []int{unix.STATX_MNT_ID_UNIQUE, unix.STATX_MNT_ID} {
		var st unix.Statx_t
		err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, mask, &st)
		for err == unix.EINTR {
			err = unix.Statx(fd, "", unix.AT_EMPTY_PATH, mask, &st)
		}
		if err == nil && st.Mask&uint32(mask) != 0 {
			return st.Mnt_id
		}
	}
	return 0
}

// supersOf is where /sys has a folder for each device that a kind of file system uses.
var supersOf = map[int64]string{unix.EXT4_SUPER_MAGIC: "ext4", 0x58465342: "xfs", unix.F2FS_SUPER_MAGIC: "f2fs"}

// superOf numbers the use of a device by a file system: the inode of its folder in /sys, which is made when the device is mounted
// first and goes when it is unmounted last. The kernel gives no such number twice. 0: unknown.
func superOf(kind int64, dev uint64) uint64 {
	dir, ok := supersOf[kind]
	if !ok {
		return 0
	}
	name, err := os.Readlink("/sys/dev/block/" + strconv.Itoa(int(unix.Major(dev))) + ":" + strconv.Itoa(int(unix.Minor(dev))))
	if err != nil {
		return 0
	}
	var st unix.Stat_t
	if fstatat(unix.AT_FDCWD, "/sys/fs/"+dir+"/"+path.Base(name), &st, 0) != nil {
		return 0
	}
	return st.Ino
}

func (h *host) Unwritten(name string) (Info, bool) {
	defer calls.enter(h.dir, name).leave()
	fd, err := h.openat(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return Info{}, false
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if fstat(fd, &st) != nil || kindOf(st.Mode) != File {
		return Info{}, false
	}
	return infoOf(&st), unwrittenFD(fd)
}

// unwrittenFD asks for a lease for readers, which is refused as long as somebody can write. Whoever opens the file for writing
// while it is held (a millionth of a second) waits for its end.
func unwrittenFD(fd int) bool {
	if !lease(fd, unix.F_RDLCK) {
		return false
	}
	lease(fd, unix.F_UNLCK)
	return true
}

func lease(fd, kind int) bool {
	for {
		_, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, kind)
		if err != unix.EINTR {
			return err == nil
		}
	}
}

// clockStep is longer than any kernel takes from one time stamp to the next.
const clockStep = 15 * time.Millisecond

func (h *host) MappingTells(dir string) (bool, error) {
	defer calls.enter(h.dir, dir).leave()
	name := join(Clean(dir), "/.mapping-"+strconv.FormatUint(rand.Uint64(), 16))
	f, err := h.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false, err
	}
	defer h.Remove(name)
	defer f.Close()
	page := make([]byte, 4096)
	if _, err := f.Write(page); err != nil {
		return false, err
	}
	before, err := FileInfo(f)
	if err != nil {
		return false, err
	}
	var mapped []byte
	err = withFD(f.(*hostFile).f, func(fd int) (err error) {
		mapped, err = unix.Mmap(fd, 0, len(page), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		return err
	})
	if err != nil {
		return false, pathError("mmap", name, err)
	}
	defer unix.Munmap(mapped)
	touched := mapped[0]
	time.Sleep(clockStep)
	mapped[0] = touched + 1
	after, err := FileInfo(f)
	return err == nil && after.CTime != before.CTime, err
}
