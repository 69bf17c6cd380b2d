//go:build linux || darwin || freebsd || netbsd || openbsd

package fsys

// WithoutOpenat2 makes f, which Host returned, write as on a system that does not know the call.
func WithoutOpenat2(f FS) FS {
	f.(*host).noBeneath.Store(true)
	return f
}
