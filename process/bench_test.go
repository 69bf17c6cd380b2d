//go:build unix

package process_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/haz-build/haz/process"
)

// BenchmarkStart runs programs from start to end, two at a time, beside a bare fork and exec of the same without streams,
// groups or a look at what is left.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	for _, d := range []string{"src", "out"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 4 {
		if err := os.WriteFile(filepath.Join(dir, "src", strconv.Itoa(i)), []byte("text\n"), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	env := []string{"PATH=/usr/bin:/bin"}
	for name, argv := range map[string][]string{
		"true":   {"true"},
		"sh-cat": {"sh", "-c", "cat src/* > out/result"},
	} {
		path, err := exec.LookPath(argv[0])
		if err != nil {
			b.Fatal(err)
		}
		// With a session of its own a process is also scheduled on its own where the kernel groups by session, which on a
		// busy machine costs more than all that we do.
		for bare, sys := range map[string]*syscall.SysProcAttr{"forkexec": nil, "forkexec-setsid": {Setsid: true}} {
			b.Run(name+"/"+bare, func(b *testing.B) {
				null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
				if err != nil {
					b.Fatal(err)
				}
				defer null.Close()
				fd := null.Fd()
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						attr := &syscall.ProcAttr{Dir: dir, Env: env, Files: []uintptr{fd, fd, fd}, Sys: sys}
						pid, err := syscall.ForkExec(path, argv, attr)
						if err != nil {
							b.Error(err)
							return
						}
						var ws syscall.WaitStatus
						if _, err := syscall.Wait4(pid, &ws, 0, nil); err != nil || ws.ExitStatus() != 0 {
							b.Error(err, ws)
							return
						}
					}
				})
			})
		}
		b.Run(name+"/os-exec", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					var out, err bytes.Buffer
					c := exec.Command(argv[0], argv[1:]...)
					c.Dir, c.Env = dir, env
					c.Stdout, c.Stderr = &out, &err
					if err := c.Run(); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
		mask := uint32(0o077)
		for as, umask := range map[string]*uint32{"system": nil, "system-umask": &mask} {
			b.Run(name+"/"+as, func(b *testing.B) {
				s := process.System(process.DefaultLimits)
				defer s.Close()
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						p, err := s.Start(process.Command{Dir: dir, Argv: argv, Env: env, Umask: umask}, nil)
						if err != nil {
							b.Error(err)
							return
						}
						if e := p.Wait(); e.Code != 0 || e.Incomplete != "" {
							b.Errorf("%+v", e)
							return
						}
					}
				})
			})
		}
	}
}
