package ready

import (
	"encoding/hex"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/haz-build/haz/fsys"
)

const (
	tableMax = 64 << 20 // of /proc/net/tcp: 400,000 connections
	linkMax  = 1 << 12
)

// holder finds a listener in the tables of the kernel, and the process that has it among its open files. Processes of other users do not show
// theirs.
func holder(port int) (h Holder, taken bool) {
	var sockets []string
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if text, _, err := fsys.Machine().ReadFile(table, tableMax); err == nil {
			sockets = append(sockets, listeners(string(text), port)...)
		}
	}
	if len(sockets) == 0 {
		return Holder{}, false
	}
	pid := openedBy(sockets)
	if pid == 0 {
		return Holder{}, true
	}
	return Holder{PID: pid, Name: program(pid)}, true
}

// listeners are the sockets of a table that take connections on a port of localhost, as links to open files name them.
func listeners(table string, port int) (sockets []string) {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 10 || f[3] != "0A" { // TCP_LISTEN
			continue
		}
		address, number, _ := strings.Cut(f[1], ":")
		if at, err := strconv.ParseUint(number, 16, 16); err != nil || int(at) != port || !atLocalhost(address) {
			continue
		}
		sockets = append(sockets, "socket:["+f[9]+"]")
	}
	return sockets
}

// atLocalhost reports whether an address of a table is one at which localhost is reached: its own, or any. An address is the kernel's memory, in
// words of four bytes, each as a number: so it is compared with what is the same in both orders, and 1 at either end.
func atLocalhost(address string) bool {
	b, err := hex.DecodeString(address)
	if err != nil || len(b) != 4 && len(b) != 16 {
		return false
	}
	if len(b) == 16 {
		switch mapped := b[8:12]; {
		case slices.Equal(mapped, []byte{0, 0, 0xff, 0xff}), slices.Equal(mapped, []byte{0xff, 0xff, 0, 0}): // ::ffff:127.0.0.1
			b = b[12:]
		}
	}
	for _, local := range localhost[len(b)] {
		if slices.Equal(b, local) {
			return true
		}
	}
	return false
}

// localhost is what the tables have for 0.0.0.0, 127.0.0.1, :: and ::1, on machines of either order of bytes.
var localhost = map[int][][]byte{
	4:  {{0, 0, 0, 0}, {127, 0, 0, 1}, {1, 0, 0, 127}},
	16: {make([]byte, 16), append(make([]byte, 15), 1), append(make([]byte, 12), 1, 0, 0, 0)},
}

// openedBy is the process with the lowest number that has one of the sockets open: where several share it that is who opened it, as a rule.
// 0: none that can be seen.
func openedBy(sockets []string) int {
	lowest := 0
	entries, err := fsys.Machine().List("/proc")
	if err != nil {
		return 0
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name)
		if err == nil && (lowest == 0 || pid < lowest) && hasOpen(pid, sockets) {
			lowest = pid
		}
	}
	return lowest
}

func hasOpen(pid int, sockets []string) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	files, err := fsys.Machine().List(dir)
	if err != nil {
		return false
	}
	for _, f := range files {
		if link, err := fsys.Machine().Readlink(dir + "/" + f.Name); err == nil && slices.Contains(sockets, link) {
			return true
		}
	}
	return false
}

// program is the name of what a process runs: that of the file, since many programs change what ps shows.
func program(pid int) string {
	dir := "/proc/" + strconv.Itoa(pid)
	if exe, err := fsys.Machine().Readlink(dir + "/exe"); err == nil {
		return oneLine(path.Base(strings.TrimSuffix(exe, " (deleted)")))
	}
	comm, _, err := fsys.Machine().ReadFile(dir+"/comm", linkMax)
	if err != nil {
		return ""
	}
	return oneLine(strings.TrimSuffix(string(comm), "\n"))
}
