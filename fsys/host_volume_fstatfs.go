//go:build darwin || freebsd

package fsys

import "golang.org/x/sys/unix"

// kindOfVolume is the kernel's word for the file system that fd lies on.
func kindOfVolume(fd int) (string, error) {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return "", err
	}
	return unix.ByteSliceToString(st.Fstypename[:]), nil
}
