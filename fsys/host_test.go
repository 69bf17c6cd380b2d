//go:build linux || darwin || freebsd || netbsd || openbsd

package fsys_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/fsystest"
	"github.com/haz-build/haz/fsys/memfs"
)

// TestMain is also the process that holds a lock until it is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("FSYS_TEST_HOLD_LOCK"); dir != "" {
		holdLock(dir)
		return
	}
	os.Exit(m.Run())
}

func holdLock(dir string) {
	f, err := fsys.Host(dir)
	if err == nil {
		var set fsys.LockSet
		if set, err = f.OpenLocks("/locks"); err == nil {
			if err = set.TryLock(7, fsys.Exclusive, 4711); err == nil {
				_, err = fsys.TryLock(f, "/lock", fsys.Exclusive)
			}
		}
	}
	fmt.Println("locked", err)
	_, _ = io.Copy(io.Discard, os.Stdin) // until killed
}

func TestLocksOfProcesses(t *testing.T) {
	dir := t.TempDir()
	f := openHost(t, dir)
	defer f.Close()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), "FSYS_TEST_HOLD_LOCK="+dir)
	stdin, err := child.StdinPipe()
	must(t, err)
	defer stdin.Close()
	stdout, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || line != "locked <nil>\n" {
		t.Fatalf("child: %q, %v", line, err)
	}

	for _, mode := range []fsys.LockMode{fsys.Shared, fsys.Exclusive} {
		if _, err := fsys.TryLock(f, "/lock", mode); !errors.Is(err, fsys.ErrLocked) {
			t.Errorf("lock held by another process: %v", err)
		}
	}
	set, err := f.OpenLocks("/locks")
	must(t, err)
	defer set.Close()
	if err := set.TryLock(7, fsys.Shared, 0); !errors.Is(err, fsys.ErrLocked) {
		t.Errorf("one of a set that another process holds: %v", err)
	}
	if mark, err := set.Mark(7); mark != 4711 || err != nil {
		t.Errorf("mark of another process: %d, %v", mark, err)
	}

	must(t, child.Process.Kill())
	_ = child.Wait()
	if mark, err := set.Mark(7); mark != 0 || err != nil {
		t.Errorf("mark of a dead process: %d, %v", mark, err)
	}
	must(t, set.TryLock(7, fsys.Exclusive, 1))
	l, err := fsys.TryLock(f, "/lock", fsys.Exclusive)
	must(t, err)
	must(t, l.Unlock())
}

// Old kernels, and what openat2 turns down, go through os.Root alone.
func TestHostConformsWithoutOpenat2(t *testing.T) {
	fsystest.Run(t, func(t *testing.T) fsys.FS { return fsys.WithoutOpenat2(openHost(t, t.TempDir())) })
}

func TestMemoryIsLikeHostWithoutOpenat2(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		must(t, err)
		defer os.RemoveAll(dir)
		compare(rt, fsys.WithoutOpenat2(openHost(t, dir)), memfs.New())
	})
}

func TestHostOpens(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o644))
	if f, err := fsys.Host(file); f != nil || !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a file: %v, %v", f, err)
	}
	if f, err := fsys.Host(filepath.Join(dir, "no")); f != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v, %v", f, err)
	}
	must(t, os.Symlink(dir, filepath.Join(dir, "link")))
	f := openHost(t, filepath.Join(dir, "link"))
	defer f.Close()
	put(t, f, "/x", "1")
	if real, err := f.RealPath("/x"); real != "/x" || err != nil {
		t.Errorf("real path below a root that is a link: %q, %v", real, err)
	}
	if p := f.HostPath("/x"); p != filepath.Join(dir, "link", "x") {
		t.Errorf("host path %q", p)
	}
}

// Discovery looks at the whole machine.
func TestHostOfEverything(t *testing.T) {
	f := openHost(t, "/")
	defer f.Close()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "x"), []byte("1"), 0o644))
	must(t, os.Symlink(filepath.Join(dir, "x"), filepath.Join(dir, "l")))
	if data, _, err := f.ReadFile(dir+"/l", 0); string(data) != "1" || err != nil {
		t.Errorf("read %q, %v", data, err)
	}
	if p := f.HostPath(dir); p != dir {
		t.Errorf("host path %q", p)
	}
	if real, err := f.RealPath(dir + "/l"); real != dir+"/x" || err != nil {
		t.Errorf("real path %q, %v", real, err)
	}
	if _, err := f.List("/"); err != nil {
		t.Error(err)
	}
	put(t, f, dir+"/l", "written through an absolute link")
	if data, err := os.ReadFile(filepath.Join(dir, "x")); string(data) != "written through an absolute link" || err != nil {
		t.Errorf("read %q, %v", data, err)
	}
}

// The handle stays with its directory when that is moved, for reading and writing, and does not follow a new one of
// the old name.
func TestHostOfMovedDirectory(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("needs /proc/self/fd for writing")
	}
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "a"), 0o755))
	f := openHost(t, filepath.Join(dir, "a"))
	defer f.Close()
	must(t, os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "b")))
	must(t, os.Mkdir(filepath.Join(dir, "a"), 0o755))
	put(t, f, "/x", "1")
	if data, _, err := f.ReadFile("/x", 0); string(data) != "1" || err != nil {
		t.Errorf("read %q, %v", data, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "b", "x")); err != nil {
		t.Error(err)
	}
}

func TestHostReadsHugeSparseFileOnlyToTheLimit(t *testing.T) {
	f := openHost(t, t.TempDir())
	defer f.Close()
	x, err := f.Create("/x")
	must(t, err)
	if err := x.Truncate(1 << 40); err != nil {
		t.Skip(err)
	}
	must(t, x.Close())
	if _, info, err := f.ReadFile("/x", 1<<20); !errors.Is(err, fsys.ErrTooLong) || info.Size != 1<<40 {
		t.Errorf("%v, %v", info, err)
	}
}

// Files of /proc say that they are empty.
func TestHostReadsWhatSaysNoSize(t *testing.T) {
	want, err := os.ReadFile("/proc/version")
	if err != nil {
		t.Skip(err)
	}
	f := openHost(t, "/proc")
	defer f.Close()
	if data, _, err := f.ReadFile("/version", 0); err != nil || string(data) != string(want) {
		t.Errorf("read %q, %v", data, err)
	}
	if _, _, err := f.ReadFile("/version", 10); !errors.Is(err, fsys.ErrTooLong) {
		t.Errorf("over the limit: %v", err)
	}
}

func TestHostDevicesAndSockets(t *testing.T) {
	f := openHost(t, "/dev")
	defer f.Close()
	for _, name := range []string{"/null", "/zero", "/tty"} {
		if info, err := f.StatInfo(name); err != nil || info.Kind != fsys.Special {
			continue
		}
		if _, _, err := f.ReadFile(name, 0); !errors.Is(err, fsys.ErrNotRegular) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := f.OpenNoFollow(name); !errors.Is(err, fsys.ErrNotRegular) {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(t, err)
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: filepath.Join(dir, "s")}); err != nil {
		t.Skip(err)
	}
	s := openHost(t, dir)
	defer s.Close()
	if _, _, err := s.ReadFile("/s", 0); !errors.Is(err, fsys.ErrNotRegular) {
		t.Errorf("socket: %v", err)
	}
	if info, err := s.Stat("/s"); err != nil || info.Mode().Type() != fs.ModeSocket {
		t.Errorf("socket: %v, %v", info, err)
	}
}

// A directory that is swapped for a link to the outside, again and again, never lets a write out.
func TestHostNeverWritesOutside(t *testing.T) {
	dir := t.TempDir()
	f := openHost(t, dir)
	defer f.Close()
	must(t, f.MkdirAll("/root/real", 0o755))
	must(t, f.MkdirAll("/out", 0o755))
	s, err := f.Sub("/root")
	must(t, err)
	defer s.Close()
	stop := make(chan struct{})
	var swapper sync.WaitGroup
	swapper.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Rename(filepath.Join(dir, "root/real"), filepath.Join(dir, "root/d"))
			_ = os.Rename(filepath.Join(dir, "root/d"), filepath.Join(dir, "root/real"))
			_ = os.Symlink("../out", filepath.Join(dir, "root/d"))
			_ = os.Remove(filepath.Join(dir, "root/d"))
		}
	})
	for i := range 300 {
		name := fmt.Sprintf("/d/%d", i)
		if w, err := s.Create(name); err == nil {
			_ = w.Close()
		}
		_ = s.Mkdir(name+"d", 0o755)
		_ = s.Symlink("x", name+"l")
		_ = s.Rename(name, name+"r")
	}
	close(stop)
	swapper.Wait()
	if entries, err := f.List("/out"); err != nil || len(entries) > 0 {
		t.Errorf("outside there is %v, %v", entries, err)
	}
}

// Closing while others work fails them cleanly; a descriptor number that the kernel gives out again is never used.
func TestHostCloseAtAnyTime(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "x"), []byte("1"), 0o644))
	for range 50 {
		f := openHost(t, dir)
		var workers sync.WaitGroup
		for range 4 {
			workers.Go(func() {
				for {
					_, _, err := f.ReadFile("/x", 0)
					if err == nil {
						err = fsys.WriteFileAtomic(f, "/y", nil, 0o644)
					}
					if errors.Is(err, fs.ErrClosed) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		must(t, f.Close())
		workers.Wait()
	}
}

func TestHostLstatAllocates(t *testing.T) {
	f := openHost(t, t.TempDir())
	defer f.Close()
	put(t, f, "/x", "")
	name := "/x"
	// The kernel wants a name that ends in a zero byte.
	if n := testing.AllocsPerRun(100, func() { _, _ = f.Lstat(name) }); n > 1 {
		t.Errorf("Lstat allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _, _ = f.ReadFile(name, 0) }); n > 2 {
		t.Errorf("ReadFile allocates %v times", n)
	}
}
