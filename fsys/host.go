//go:build linux || darwin || freebsd || netbsd || openbsd

package fsys

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Host opens a directory of the real machine ("/" for all of it) as a file system.
//
// What reads goes to the kernel directly, below a descriptor of the directory. What writes goes through an os.Root,
// opened on first use. Both stay with the directory when it is moved; HostPath and RealPath go by the path it was opened
// by. Permission bits of what is created are subject to the umask. No operation waits for the other side of a FIFO.
//
// A link whose text is absolute may be written through when it leads to a place below the root.
//
// On Linux everything holds. On other Unixes CloneFile always fails, List learns kinds from the standard library, and the directory
// must be readable.
func Host(dir string) (FS, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	fd, err := openat(unix.AT_FDCWD, abs, openDirFlags|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, pathError("open", abs, err)
	}
	return &host{dir: abs, handle: handle{fd: fd}}, nil
}

type host struct {
	dir    string // absolute and clean
	handle handle // of dir; what reads starts here

	rootOnce sync.Once
	root     *os.Root // what writes goes through here
	rootErr  error

	realMu sync.Mutex
	real   string // dir without links, once asked for

	noClone   sync.Map    // dev uint64 → struct{}: devices that cannot clone
	noBeneath atomic.Bool // the kernel has no openat2: os.Root writes it all
}

// A handle is a descriptor that is closed only when nobody uses it, so that a number that the kernel has given out
// again is never used.
type handle struct {
	fd   int
	uses atomic.Int64 // running operations; plus closing once Close was called, plus closed when the last one ended
}

const (
	closing = 1 << 62
	closed  = 1 << 61
)

// acquire returns the descriptor; release must follow. The descriptor is -1 after close.
func (h *handle) acquire() int {
	if h.uses.Add(1) >= closing {
		h.release()
		return -1
	}
	return h.fd
}

func (h *handle) release() {
	if h.uses.Add(-1) == closing && h.uses.CompareAndSwap(closing, closing+closed) {
		_ = unix.Close(h.fd)
	}
}

func (h *handle) close() {
	for {
		n := h.uses.Load()
		if n >= closing {
			return
		}
		if h.uses.CompareAndSwap(n, n+closing+1) {
			h.release()
			return
		}
	}
}

func (h *host) Name() string { return "host " + h.dir }

func (h *host) HostPath(name string) string {
	return join(h.dir, Clean(name))
}

func (h *host) Sub(dir string) (FS, error) {
	defer calls.enter(h.dir, dir).leave()
	name := Clean(dir)
	fd, err := h.openat(name, openDirFlags|unix.O_DIRECTORY)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	s := &host{dir: h.HostPath(name), handle: handle{fd: fd}}
	s.noBeneath.Store(h.noBeneath.Load())
	return s, nil
}

func (h *host) Hold(dir string) (FS, error) {
	defer calls.enter(h.dir, dir).leave()
	name := Clean(dir)
	fd, err := h.openat(name, openDirFlags|unix.O_DIRECTORY|unix.O_NOFOLLOW)
	if err != nil {
		return nil, pathError("open", name, notRegular(err))
	}
	s := &host{dir: h.HostPath(name), handle: handle{fd: fd}}
	s.noBeneath.Store(h.noBeneath.Load())
	return s, nil
}

// Close gives the descriptors back. Files and locks that were opened stay open.
func (h *host) Close() error {
	h.handle.close()
	// Spends the Once, so that nothing opens the root from here on, and waits for who is opening it now.
	h.rootOnce.Do(func() { h.rootErr = fs.ErrClosed })
	if h.root != nil {
		return h.root.Close()
	}
	return nil
}

func (h *host) RealPath(name string) (string, error) {
	defer calls.enter(h.dir, name).leave()
	name = Clean(name)
	realDir, err := h.realDir()
	if err != nil {
		return "", pathError("realpath", name, err)
	}
	p, err := resolve(join(realDir, name), len(realDir))
	if err != nil {
		return "", pathError("realpath", name, err)
	}
	if in, ok := below(realDir, p); ok {
		return in, nil
	}
	return "", pathError("realpath", name, ErrOutside)
}

// realDir is the root itself without links.
func (h *host) realDir() (string, error) {
	if h.handle.acquire() < 0 {
		return "", fs.ErrClosed
	}
	defer h.handle.release()
	h.realMu.Lock()
	defer h.realMu.Unlock()
	if h.real == "" {
		p, err := resolve(h.dir, 1)
		if err != nil {
			return "", err
		}
		h.real = p
	}
	return h.real, nil
}

// openat opens name below the root, links followed wherever they lead.
func (h *host) openat(name string, flags int) (int, error) {
	fd := h.handle.acquire()
	if fd < 0 {
		return -1, fs.ErrClosed
	}
	defer h.handle.release()
	return openat(fd, relative(name), flags|unix.O_CLOEXEC, 0)
}

func openat(dirfd int, name string, flags int, perm uint32) (int, error) {
	for {
		fd, err := unix.Openat(dirfd, name, flags, perm)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// resolve takes the links out of the absolute path p, whose first done bytes hold none (at least the leading slash).
// It costs one system call a segment: readlink of what is no link says EINVAL if it exists. With ENOENT comes the path
// as far as it could be resolved, and what does not exist behind it.
func resolve(p string, done int) (string, error) {
	cur, rest := p[:done], p[done:]
	if cur == "/" {
		cur = ""
	}
	var buf [unix.PathMax]byte
	links, mustBeDir := 0, false
	for rest != "" {
		var seg string
		seg, rest, _ = strings.Cut(rest, "/")
		switch seg {
		case "", ".":
			continue
		case "..":
			// The text of a link may climb out of what is no directory: the kernel says no.
			if err := isDir(cur); err != nil {
				return "", err
			}
			cur = cur[:max(0, strings.LastIndexByte(cur, '/'))]
			continue
		}
		next := cur + "/" + seg
		n, err := unix.Readlink(next, buf[:])
		switch {
		case err == unix.EINTR:
			rest = seg + "/" + rest
		case err == unix.EINVAL:
			cur = next
		case err == unix.ENOENT:
			if rest != "" {
				next += "/" + rest
			}
			return next, err
		case err != nil:
			return "", err
		default:
			if links++; links > MaxLinks {
				return "", syscall.ELOOP
			}
			text := string(buf[:n])
			if text != "" && text[0] == '/' {
				cur = ""
			}
			if rest != "" {
				text += "/" + rest
			} else if strings.HasSuffix(text, "/") || strings.HasSuffix(text, "/.") {
				mustBeDir = true
			}
			rest = text
		}
	}
	if cur == "" {
		cur = "/"
	}
	if mustBeDir {
		return cur, isDir(cur)
	}
	return cur, nil
}

// isDir fails with ENOTDIR where the host path p is no directory.
func isDir(p string) error {
	var st unix.Stat_t
	return fstatat(unix.AT_FDCWD, p+"/", &st, 0)
}

func fstatat(dirfd int, name string, st *unix.Stat_t, flags int) error {
	for {
		err := unix.Fstatat(dirfd, name, st, flags)
		if err != unix.EINTR {
			return err
		}
	}
}

func infoOf(st *unix.Stat_t) Info {
	return Info{
		Kind:  kindOf(uint32(st.Mode)),
		Perm:  uint32(st.Mode) & 0o7777,
		Nlink: uint32(st.Nlink),
		Size:  st.Size,
		MTime: st.Mtim.Nano(),
		CTime: st.Ctim.Nano(),
		Inode: uint64(st.Ino),
		Dev:   uint64(st.Dev),
	}
}
