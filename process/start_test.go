//go:build linux

package process_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/process"
)

// write makes a file with a mode, whatever the umask.
func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// Where a program is looked for (chapter 1, 5.2; chapter 2, 4.2): each of them says which one it is and how it was called.
func TestLookup(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	for path, name := range map[string]string{
		dir + "/tool": "here", dir + "/bin/tool": "bin", dir + "/sub/tool": "sub", other + "/tool": "other", other + "/only": "only",
	} {
		write(t, path, "#!/bin/sh\necho "+name+" $0\n", 0o755)
	}
	write(t, dir+"/plain/tool", "#!/bin/sh\n", 0o644)
	if err := os.MkdirAll(dir+"/folder/tool", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("sub", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	s := open(t, quick)
	for _, c := range []struct{ program, path, want string }{
		{"tool", "PATH=bin:sub", "bin bin/tool"},          // relative entries: the task's directory
		{"tool", "PATH=nowhere:sub:bin", "sub sub/tool"},  // in order
		{"tool", "PATH=plain:folder:bin", "bin bin/tool"}, // what cannot be executed is passed over
		{"tool", "PATH=" + other + ":bin", "other " + other + "/tool"},
		{"tool", "PATH=", "here ./tool"}, // an empty entry: the task's directory
		{"tool", "PATH=:bin", "here ./tool"},
		{"tool", "PATH=nowhere::bin", "here ./tool"},
		{"tool", "PATH=nowhere:", "here ./tool"},
		{"./tool", "PATH=bin", "here ./tool"}, // with a slash: no PATH
		{"bin/tool", "PATH=sub", "bin bin/tool"},
		{"link/../tool", "PATH=sub", "here link/../tool"},
		{other + "/tool", "PATH=bin", "other " + other + "/tool"},
		{"only", "PATH=bin:" + other, "only " + other + "/only"},
	} {
		e, out := run(t, s, process.Command{Dir: dir, Argv: []string{c.program}, Env: []string{c.path}})
		if strings.TrimSpace(out) != c.want || e.Code != 0 {
			t.Errorf("%s with %s: %q, want %q, exit %+v", c.program, c.path, out, c.want, e)
		}
	}
	// Without PATH: /bin and /usr/bin, and argv is as it was written.
	e, out := run(t, s, process.Command{Dir: dir, Argv: []string{"sh", "-c", "echo $0"}})
	if out != "sh\n" || e.Code != 0 {
		t.Errorf("without PATH: %q, %+v", out, e)
	}
}

// EXEC-056: who has looked through PATH spares haz that. What is in none of its places, or has gone, is looked for.
func TestFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		write(t, dir+"/"+name+"/tool", "#!/bin/sh\necho "+name+"\n", 0o755)
	}
	write(t, dir+"/b/other", "#!/bin/sh\necho other\n", 0o755)
	write(t, dir+"/plain/tool", "#!/bin/sh\n", 0o644)
	s := open(t, quick)
	path := []string{"PATH=" + dir + "/a:" + dir + "/b:" + dir + "/plain"}
	for found, want := range map[string]string{"b/tool": "b", "a/tool": "a", "c/tool": "a", "plain/tool": "a", "b/other": "a", "gone/tool": "a"} {
		if e, out := run(t, s, process.Command{Dir: dir, Argv: []string{"tool"}, Env: path, Found: dir + "/" + found}); strings.TrimSpace(out) != want || e.Code != 0 {
			t.Errorf("found as %s: %q, want %q, exit %+v", found, out, want, e)
		}
	}
	if e, out := run(t, s, process.Command{Dir: dir, Argv: []string{dir + "/c/tool"}, Env: path, Found: dir + "/b/tool"}); out != "c\n" || e.Code != 0 {
		t.Errorf("with a slash: %q, exit %+v", out, e)
	}
}

func TestNotStarted(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/plain", "#!/bin/sh\n", 0o644)
	write(t, dir+"/lost", "#!/no/such/interpreter -x\n", 0o755)
	write(t, dir+"/crlf", "#!/bin/sh\r\n", 0o755)
	write(t, dir+"/noexec", "#!"+dir+"/plain\n", 0o755)
	write(t, dir+"/text", "\x01\x02", 0o755)
	write(t, dir+"/local", "#!/bin/sh\n", 0o755)
	write(t, dir+"/elf", missingLoader(t), 0o755)
	if err := os.Mkdir(dir+"/folder", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nothing", dir+"/dangling"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(dir+"/fifo", 0o755); err != nil {
		t.Fatal(err)
	}
	// Only haz's own PATH would find this one.
	write(t, dir+"/hostbin/hosttool", "#!/bin/sh\n", 0o755)
	t.Setenv("PATH", dir+"/hostbin:"+os.Getenv("PATH"))
	t.Chdir(dir + "/hostbin")

	s := open(t, quick)
	for _, c := range []struct {
		name         string
		dir          string // dir when empty
		argv, env    []string
		reason, hint string
		is           error
	}{
		{name: "not in PATH", argv: []string{"hosttool"}, env: []string{"PATH=/usr/bin:/bin"}, reason: "program not found in the task's PATH (2 directories)", is: os.ErrNotExist},
		{name: "one directory", argv: []string{"sh"}, env: []string{"PATH=/nowhere"}, reason: "program not found in the task's PATH (1 directory)", hint: "/usr/bin"},
		{name: "no PATH", argv: []string{"hosttool"}, reason: "program not found in PATH (/bin:/usr/bin, since the task has no PATH)", hint: "env.pass"},
		{name: "name is like PATH", argv: []string{"hosttool"}, env: []string{"XPATH=" + dir + "/hostbin"}, reason: "the task has no PATH"},
		{name: "in the directory", argv: []string{"local"}, env: testEnv, reason: "not found", hint: "./local"},
		{name: "relative to the task, not to haz", argv: []string{"./hosttool"}, reason: "no such file", hint: dir},
		{name: "absolute", argv: []string{"/no/such"}, reason: "no such file", is: os.ErrNotExist},
		{name: "below a file", argv: []string{"./plain/x"}, reason: "not a directory"},
		{name: "dangling link", argv: []string{"./dangling"}, reason: "a link to nothing"},
		{name: "no permission", argv: []string{"./plain"}, reason: "not executable", hint: "chmod +x ./plain", is: os.ErrPermission},
		{name: "no permission in PATH", argv: []string{"plain"}, env: []string{"PATH=/nowhere:."}, reason: "not executable (./plain)", hint: "chmod"},
		{name: "folder", argv: []string{"./folder"}, reason: "is a directory"},
		{name: "FIFO", argv: []string{"./fifo"}, reason: "not a regular file"},
		{name: "interpreter missing", argv: []string{"./lost"}, reason: `interpreter of its #! line is missing: "/no/such/interpreter"`},
		{name: "carriage return", argv: []string{"./crlf"}, reason: "interpreter", hint: "carriage return"},
		{name: "interpreter not executable", argv: []string{"./noexec"}, reason: "interpreter of its #! line is not executable"},
		{name: "neither", argv: []string{"./text"}, reason: "not a program", hint: "#!/bin/sh"},
		{name: "loader missing", argv: []string{"./elf"}, reason: "its loader is missing", hint: "C library"},
		{name: "no directory", dir: dir + "/gone", argv: []string{"sh"}, env: testEnv, reason: "working directory missing: " + dir + "/gone"},
		{name: "no directory, no program", dir: dir + "/gone", argv: []string{"gone"}, env: testEnv, reason: "working directory missing"},
		{name: "no directory, program with slash", dir: dir + "/gone", argv: []string{"./x"}, reason: "working directory missing"},
		{name: "directory is a file", dir: dir + "/plain", argv: []string{"sh"}, env: testEnv, reason: "working directory is not a directory"},
		{name: "relative directory", dir: "x", argv: []string{"sh"}, reason: "not absolute"},
		{name: "NUL in directory", dir: "/x\x00", argv: []string{"sh"}, reason: "NUL"},
		{name: "no argv", reason: "no program"},
		{name: "empty program", argv: []string{""}, reason: "empty"},
		{name: "NUL in program", argv: []string{"s\x00h"}, reason: "NUL"},
		{name: "NUL in argument", argv: []string{"sh", "-c", "\x00"}, env: testEnv, reason: "argument 2 contains a NUL byte"},
		{name: "NUL in environment", argv: []string{"sh"}, env: []string{"A=x\x00secret"}, reason: `variable "A" contains a NUL byte`},
		{name: "long argument", argv: []string{"sh", strings.Repeat("x", 200_000)}, env: testEnv, reason: "argument 1 is too long for the system: 200000 bytes", hint: "file"},
		{name: "long value", argv: []string{"sh"}, env: []string{"A=" + strings.Repeat("x", 200_000), testEnv[0]}, reason: `variable "A" is too long`},
		{name: "too much", argv: append([]string{"sh"}, slices.Repeat([]string{strings.Repeat("x", 100_000)}, 100)...), env: testEnv, reason: "arguments and environment are too long"},
		{name: "odd bytes", argv: []string{"\xff\n"}, env: testEnv, reason: "not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.dir == "" {
				c.dir = dir
			}
			p, err := s.Start(process.Command{Dir: c.dir, Argv: c.argv, Env: c.env}, nil)
			var e *process.NotStartedError
			if p != nil || !errors.As(err, &e) {
				t.Fatalf("got %v, %v", p, err)
			}
			if !strings.Contains(e.Reason, c.reason) || !strings.Contains(e.Hint, c.hint) {
				t.Errorf("reason %q, hint %q\nwant %q, %q", e.Reason, e.Hint, c.reason, c.hint)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not %v", err, c.is)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("a value is shown: %v", err)
			}
		})
	}
	if got := openFiles(t, dir); got > 0 {
		t.Errorf("%d descriptors leaked", got)
	}
}

// openFiles counts this process's pipes, which failed starts could have left open, beyond those of a spawner's helper.
func openFiles(t *testing.T, string string) int {
	t.Helper()
	n := 0
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && strings.HasPrefix(to, "pipe:") {
			n++
		}
	}
	return max(0, n-8)
}

// missingLoader is /bin/true with another loader's name.
func missingLoader(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Skip(err)
	}
	i := strings.Index(string(b), "/ld-linux")
	if i < 0 {
		i = strings.Index(string(b), "/ld-musl")
	}
	if i < 0 {
		t.Skip("/bin/true has no loader")
	}
	b[i+1] = 'X'
	return string(b)
}

// The environment is exactly the given one (CACHE-008), byte by byte (S-12).
func TestEnvironment(t *testing.T) {
	t.Setenv("HOST_ONLY", "1")
	s := open(t, quick)
	for _, env := range [][]string{
		nil, {}, {"A="}, {"A=1", "B=\xff\xfe", "C=a b\nc", "\xfe=odd"}, {"PATH=/nowhere"},
	} {
		e, out := run(t, s, process.Command{Dir: "/", Argv: []string{"/usr/bin/env", "-0"}, Env: env})
		want := ""
		for _, v := range env {
			want += v + "\x00"
		}
		if out != want || e.Code != 0 {
			t.Errorf("environment %q gave %q, exit %+v", env, out, e)
		}
	}
}

// What a process finds: its own session, the null device as stdin, pipes that block, no other file, haz's umask.
func TestSurroundings(t *testing.T) {
	s := open(t, quick)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	mask := syscall.Umask(0o027)
	defer syscall.Umask(mask)
	script := `
		pwd; echo umask $(umask)
		readlink /proc/self/fd/0
		ls /proc/$$/fd
		grep flags /proc/$$/fdinfo/1
		cut -d' ' -f5,6 /proc/$$/stat
		echo $$`
	for i := range 3 { // the first one starts beside the helper
		p, r := start(t, s, shell(dir, script))
		e := p.Wait()
		pid := strconv.Itoa(p.PID())
		lines := strings.Split(strings.TrimSpace(r.Text(process.Stdout)), "\n")
		// 10 and above are the shell's own.
		lines = slices.DeleteFunc(lines, func(l string) bool { n, err := strconv.Atoi(l); return err == nil && n >= 10 && l != pid })
		want := []string{dir, "umask 0027", "/dev/null", "0", "1", "2", "flags:\t01", pid + " " + pid, pid}
		if !slices.Equal(lines, want) || e.Code != 0 {
			t.Errorf("run %d: %q\nwant %q\nexit %+v, stderr %s", i, lines, want, e, r.Text(process.Stderr))
		}
	}
}

// A host's ignored signals are not handed on, and stay ignored for the host.
func TestIgnoredSignalsAreNotInherited(t *testing.T) {
	t.Parallel()
	out, err := again(t, "ignore", t.TempDir()).Output()
	if err != nil {
		t.Fatal(err)
	}
	none := "0000000000000000"
	if got, want := strings.Fields(string(out)), []string{"SigBlk:", none, "SigIgn:", none, "alive"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What kernels without pidfd and without a list of children get is slower and otherwise the same.
func TestOldKernel(t *testing.T) {
	t.Cleanup(process.OldKernel()) // after the parallel ones
	t.Run("conform", TestConform)
	t.Run("leftovers", TestLeftoversOfCompletedTasksStay)
	t.Run("sweep", TestSweepOfManyTasks)
	t.Run("waits", TestCancelDuringTheEnd)
}

// Without the helper haz goes on, and says what that means.
func TestHelperTrouble(t *testing.T) {
	s := process.System(quick)
	run(t, s, shell("/", "true"))
	if tr := process.Trouble(s); len(tr) > 0 {
		t.Errorf("trouble: %q", tr)
	}
	kill(process.HelperPID(s))
	eventually(t, "the helper's end is noticed", func() bool { return len(process.Trouble(s)) == 1 })
	if e, out := run(t, s, shell("/", "echo x")); e.Code != 0 || out != "x\n" {
		t.Errorf("without helper: %q, %+v", out, e)
	}
	if tr := process.Trouble(s); len(tr) != 1 || !strings.Contains(tr[0], "helper") {
		t.Errorf("trouble: %q", tr)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// The helper cannot be ended by what ends a terminal's programs, and ends with the spawner.
func TestHelperEndsWithSpawner(t *testing.T) {
	s := process.System(quick)
	if err := s.Close(); err != nil { // nothing was started
		t.Error(err)
	}
	s = process.System(quick)
	run(t, s, shell("/", "true"))
	pid := process.HelperPID(s)
	eventually(t, "the helper ignores signals", func() bool {
		b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
		_, v, _ := strings.Cut(string(b), "SigIgn:\t")
		mask, _ := strconv.ParseUint(strings.TrimSpace(v[:min(16, len(v))]), 16, 64)
		const hup, in, term = 1 << 0, 1 << 1, 1 << 14
		return mask&(hup|in|term) == hup|in|term
	})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if syscall.Kill(pid, 0) != syscall.ESRCH {
		t.Error("the helper lives after Close")
	}
}

// Executables that are written while others are started: a child between fork and exec still has the file open.
func TestTextBusy(t *testing.T) {
	t.Parallel()
	s := open(t, quick)
	dir := t.TempDir()
	stop := make(chan struct{})
	var noise sync.WaitGroup
	defer noise.Wait()
	defer close(stop)
	for range 2 {
		noise.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					p, err := s.Start(process.Command{Dir: "/", Argv: []string{"true"}, Env: testEnv}, nil)
					if err != nil {
						t.Error(err)
						return
					}
					p.Wait()
				}
			}
		})
	}
	for i := range 50 {
		name := "tool" + strconv.Itoa(i)
		write(t, filepath.Join(dir, name), "#!/bin/sh\necho "+name+"\n", 0o755)
		if e, out := run(t, s, process.Command{Dir: dir, Argv: []string{"./" + name}}); out != name+"\n" || e.Code != 0 {
			t.Errorf("%q, %+v", out, e)
		}
	}
}

// A group stands in the helper's table while it lives, and not a moment longer.
func TestHelperKnowsTheGroups(t *testing.T) {
	s := open(t, quick)
	a, _ := start(t, s, shell("/", "sleep 300"))
	b, _ := start(t, s, shell("/", "sleep 300"))
	if got, want := process.HelperTable(s), strconv.Itoa(a.PID())+" "+strconv.Itoa(b.PID()); got != want {
		t.Errorf("table %q, want %q", got, want)
	}
	a.Kill()
	a.Wait()
	if got, want := process.HelperTable(s), strconv.Itoa(b.PID()); got != want {
		t.Errorf("table %q, want %q", got, want)
	}
	b.Terminate()
	b.Wait()
	if got := process.HelperTable(s); got != "" {
		t.Errorf("table %q after all have ended", got)
	}
}

// S-40: a process starts in the directory that its Stand leads to, whatever has taken the name of its Dir meanwhile.
func TestStartsWhereItStands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir+"/ws/p/in.txt", "ours", 0o644)
	held, err := fsys.Host(dir + "/ws")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := os.Rename(dir+"/ws", dir+"/moved"); err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/ws/p/in.txt", "another's", 0o644)
	place := held.(fsys.Place)
	if place.InPlace() {
		t.Error("said to be in its place")
	}
	x, out := run(t, open(t, quick), process.Command{Dir: dir + "/ws/p", Stand: place.StandingPath("/p"),
		Argv: []string{"sh", "-c", "cat in.txt"}, Env: testEnv})
	if x.Code != 0 || out != "ours" {
		t.Errorf("%+v, %q", x, out)
	}
}
