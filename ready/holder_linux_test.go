package ready

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// The tables as the kernel writes them, of machines of either order of bytes; what is not well-formed is nobody.
func TestListeners(t *testing.T) {
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	for _, tc := range []struct {
		what, address, state string
		listens              bool
	}{
		{"any", "00000000:1538", "0A", true},
		{"127.0.0.1", "0100007F:1538", "0A", true},
		{"127.0.0.1, big end first", "7F000001:1538", "0A", true},
		{"127.0.0.53", "3500007F:1538", "0A", false},
		{"192.168.1.2", "0201A8C0:1538", "0A", false},
		{"another port", "00000000:1539", "0A", false},
		{"a connection", "0100007F:1538", "01", false},
		{"any, IPv6", "00000000000000000000000000000000:1538", "0A", true},
		{"::1", "00000000000000000000000001000000:1538", "0A", true},
		{"::1, big end first", "00000000000000000000000000000001:1538", "0A", true},
		{"::ffff:127.0.0.1", "0000000000000000FFFF00000100007F:1538", "0A", true},
		{"::ffff:10.0.0.1", "0000000000000000FFFF00000100000A:1538", "0A", false},
		{"2001:db8::1", "B80D0120000000000000000001000000:1538", "0A", false},
		{"no address", "0100:1538", "0A", false},
		{"no number", "zz00007F:1538", "0A", false},
		{"no port", "0100007F", "0A", false},
		{"a port that is none", "0100007F:11538", "0A", false},
	} {
		table := head + "   0: " + tc.address + " 00000000:0000 " + tc.state + " 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n"
		want := []string(nil)
		if tc.listens {
			want = []string{"socket:[4711]"}
		}
		if got := listeners(table, 5432); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", tc.what, got, want)
		}
	}
	for _, broken := range []string{"", head, "   0: 00000000:1538 00000000:0000 0A\n", "\x00\n\n"} {
		if got := listeners(broken, 5432); len(got) > 0 {
			t.Errorf("%q: %q", broken, got)
		}
	}
}

// Of several processes that share a socket the first one counts; and another process than this one is found.
func TestHolderIsAnotherProcess(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := exec.Command("sleep", "300")
	c.ExtraFiles = []*os.File{file}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Wait()
	defer c.Process.Kill()
	port := l.Addr().(*net.TCPAddr).Port
	first := min(os.Getpid(), c.Process.Pid)
	if h, taken := holder(port); !taken || h.PID != first {
		t.Errorf("shared by %d and %d: %+v, %t", os.Getpid(), c.Process.Pid, h, taken)
	}
	l.Close()
	file.Close()
	sleep, err := filepath.EvalSymlinks("/proc/" + strconv.Itoa(c.Process.Pid) + "/exe")
	if err != nil {
		t.Fatal(err)
	}
	if h, taken := holder(port); !taken || h != (Holder{PID: c.Process.Pid, Name: filepath.Base(sleep)}) {
		t.Errorf("of %d: %+v, %t", c.Process.Pid, h, taken)
	}
}
