package process_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/haz-build/haz/process"
)

// A process has the umask that it is to have, whatever others have at the same time; haz keeps its own (EXEC-031). The same where a
// filter of system calls forbids a thread to have its own, as in some containers.
func TestUmaskOfProcess(t *testing.T) {
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	for name, refuse := range map[string]func() (undo func()){
		"threads": func() func() { return func() {} },
		"shells":  func() func() { return process.RefuseUnshare(errors.New("not permitted")) },
	} {
		t.Run(name, func(t *testing.T) {
			defer refuse()()
			s := open(t, quick)
			dir := t.TempDir()
			var wg sync.WaitGroup
			for i := range 24 {
				mask := []uint32{0o022, 0o077, 0o002, 0, 0o027}[i%5]
				wg.Go(func() {
					c := shell(dir, fmt.Sprintf("echo $(umask) $0 $1; > f%d; mkdir d%d", i, i))
					c.Argv, c.Umask = append(c.Argv, "zero", "a b"), &mask
					e, out := run(t, s, c)
					if want := fmt.Sprintf("%04o zero a b\n", mask); out != want || e.Code != 0 {
						t.Errorf("printed %q, want %q; exit %+v", out, want, e)
					}
					for at, plain := range map[string]uint32{"f": 0o666, "d": 0o777} {
						info, err := os.Stat(fmt.Sprintf("%s/%s%d", dir, at, i))
						if err != nil || uint32(info.Mode().Perm()) != plain&^mask {
							t.Errorf("umask %03o: %s is %v, %v", mask, at, info.Mode(), err)
						}
					}
				})
			}
			wg.Wait()
			if b, _ := os.ReadFile("/proc/self/status"); !strings.Contains(string(b), "\nUmask:\t0027\n") {
				t.Error("haz has another umask now")
			}
			file := dir + "/own"
			if err := os.WriteFile(file, nil, 0o666); err != nil {
				t.Fatal(err)
			}
			if info, _ := os.Stat(file); info.Mode().Perm() != 0o640 {
				t.Errorf("haz makes files with %v", info.Mode())
			}
			missing := uint32(0o022)
			_, err := s.Start(process.Command{Dir: dir, Argv: []string{"/nowhere/program"}, Umask: &missing}, nil)
			var notStarted *process.NotStartedError
			if !errors.As(err, &notStarted) {
				t.Errorf("a program that is not there: %v", err)
			}
		})
	}
}

// Threads with a umask of their own end with the spawner, and no goroutine stays.
func TestUmaskThreadsEnd(t *testing.T) {
	s := process.System(quick)
	mask := uint32(0o077)
	c := shell(t.TempDir(), "true")
	c.Umask = &mask
	if e, _ := run(t, s, c); e.Code != 0 {
		t.Errorf("%+v", e)
	}
	if n := process.MaskThreads(s); n != 1 {
		t.Errorf("%d threads, want 1", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := process.MaskThreads(s); n != 0 {
		t.Errorf("%d threads are left", n)
	}
}
