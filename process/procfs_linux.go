package process

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is the unit of time in /proc: the kernel's interface fixes it, whatever its own clock does.
const ticksPerSecond = 100

// bootTicks is the present, in the unit and with the rounding of a process's birth.
func bootTicks() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return 0
	}
	return int64(ts.Sec)*ticksPerSecond + int64(ts.Nsec)/(1e9/ticksPerSecond)
}

// snapshot lists all processes that can be seen. It is not one moment: they come and go while it reads.
func snapshot() []procInfo {
	d, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	out := make([]procInfo, 0, len(names))
	for _, n := range names {
		if n[0] < '0' || n[0] > '9' {
			continue
		}
		if pid, err := strconv.Atoi(n); err == nil {
			if q, ok := readStat(pid); ok {
				out = append(out, q)
			}
		}
	}
	return out
}

// readStat reads /proc/PID/stat; false when there is no such process.
func readStat(pid int) (procInfo, bool) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return procInfo{}, false
	}
	var buf [1024]byte
	n, err := unix.Read(fd, buf[:])
	unix.Close(fd)
	if err != nil {
		return procInfo{}, false
	}
	return parseStat(pid, buf[:n])
}

// parseStat takes what is needed from the line. The program's name is in parentheses, and may contain some itself.
func parseStat(pid int, line []byte) (procInfo, bool) {
	i := bytes.LastIndexByte(line, ')')
	if i < 0 {
		return procInfo{}, false
	}
	f := strings.Fields(string(line[i+1:])) // begins with the third field
	if len(f) < 20 {
		return procInfo{}, false
	}
	q := procInfo{pid: pid, state: f[0][0]}
	var errs [4]error
	q.ppid, errs[0] = strconv.Atoi(f[1])
	q.pgrp, errs[1] = strconv.Atoi(f[2])
	q.sid, errs[2] = strconv.Atoi(f[3])
	q.birth, errs[3] = strconv.ParseInt(f[19], 10, 64)
	return q, errors.Join(errs[:]...) == nil
}

// links are the names under which p's pipes appear among the open files of a process.
func (p *proc) links() map[string]bool {
	m := make(map[string]bool, 2)
	for _, s := range p.streams {
		var st unix.Stat_t
		if unix.Fstat(s.fd, &st) == nil {
			m["pipe:["+strconv.FormatUint(st.Ino, 10)+"]"] = true
		}
	}
	return m
}

// holds reports whether a process has one of the pipes open; it is not sure when its files cannot be seen.
func holds(pid int, links map[string]bool) (held, sure bool) {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	d, err := os.Open(dir)
	if err != nil {
		return false, errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return false, errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH)
	}
	sure = true
	for _, n := range names {
		link, err := os.Readlink(dir + "/" + n)
		switch {
		case err == nil && links[link]:
			return true, true
		case errors.Is(err, os.ErrPermission):
			sure = false
		}
	}
	return false, sure
}

// commandOf shows a process as its arguments, at most 200 bytes, without control characters; [name] when it has none.
func commandOf(pid int) string {
	dir := "/proc/" + strconv.Itoa(pid)
	text := ""
	for try := 0; text == "" && try < 5; try++ {
		if try > 0 {
			time.Sleep(time.Millisecond) // in the middle of an exec it has none for a moment
		}
		b, _ := os.ReadFile(dir + "/cmdline")
		text = strings.TrimRight(string(b), "\x00")
	}
	if text == "" {
		b, _ := os.ReadFile(dir + "/comm")
		text = "[" + strings.TrimSpace(string(b)) + "]"
	}
	cut := len(text) > 200
	if cut {
		text = text[:200]
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case r == 0:
			return ' '
		case r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0:
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if cut {
		text += "…"
	}
	return text
}

// ignores reports whether a process ignores a signal.
func ignores(pid int, sig unix.Signal) bool {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	_, rest, found := strings.Cut(string(b), "\nSigIgn:")
	mask, _, _ := strings.Cut(rest, "\n")
	set, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
	return found && err == nil && set&(1<<(sig-1)) != 0
}
