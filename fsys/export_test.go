//go:build linux || darwin || freebsd || netbsd || openbsd

package fsys

// WithoutOpenat2 makes f, which Host returned, write as on a system that does not know the call.
func WithoutOpenat2(f FS) FS {
	f.(*host).noBeneath.Store(true)
	return f
}

// WithFileLocks makes f, which Host returned, lock as on a system without locks of byte ranges for each open file.
func WithFileLocks(f FS) FS { return fileLocking{f.(*host)} }

type fileLocking struct{ *host }

func (f fileLocking) OpenLocks(name string) (LockSet, error) { return f.openFileLocks(name) }

func (f fileLocking) Sub(dir string) (FS, error) {
	sub, err := f.host.Sub(dir)
	if err != nil {
		return nil, err
	}
	return WithFileLocks(sub), nil
}

func (f fileLocking) RenameTo(oldName string, to FS, newName string) error {
	if t, ok := to.(fileLocking); ok {
		to = t.host
	}
	return f.host.RenameTo(oldName, to, newName)
}
