//go:build unix

package process

import (
	"errors"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// helperScript is the helper of S-30: a shell that notices haz's end, also by SIGKILL, as the end of its input, and then
// ends the groups that stand in its table, file 3: TERM (and CONT, if they stand still), half a second, KILL. A shell and not haz itself, because programs
// that embed haz cannot start themselves again as something else.
//
// The table has a line for each running group, or blanks. haz keeps it up to date by writing to the file, so that nobody is
// woken when a task begins or ends. A line on the input is the friendly end.
//
// haz knows a group only some time after its first process runs. Until then the line is "p" and the inode of the pipe that is
// the process's standard output; who has that pipe as output 1 is looked for in /proc (Linux), and again with each signal, since
// haz may have died in the middle of a fork.
const helperScript = `# haz: ends the groups of running tasks when haz itself dies
trap '' HUP INT QUIT PIPE TERM TSTP TTIN TTOU
read -r line && exit 0
groups= pipes=
while read -r n; do
	case $n in
	p*) pipes="$pipes pipe:[${n#p}]" ;;
	?*) groups="$groups $n" ;;
	esac
done <&3
look() {
	ls -l /proc/[0-9]*/fd/1 | while read -r line; do
		case " $pipes " in *" ${line##*-> } "*) ;; *) continue ;; esac
		line=${line##* /proc/}
		read -r stat </proc/${line%%/*}/stat || continue
		set -- ${stat##*) }
		[ "$3" -gt 1 ] && echo "$3"
	done
}
all() {
	some=1
	[ -z "$pipes" ] || found="$found $(look)"
	for n in $groups $found; do kill "-$1" "-$n" && some=0; done
	return $some
}
found=
all TERM
all CONT
for i in 1 2 3 4 5; do
	all 0 || [ -n "$pipes" ] || exit 0
	sleep 0.1 || { sleep 1; break; }
done
all KILL
exit 0
`

// helperName is by what a helper is known among processes.
const helperName = "haz-helper"

// slotSize is the length of a line of the table: a number of ten digits at most, with a letter before it, and the newline. No
// line crosses a page, so that none is torn when haz dies while it writes.
const slotSize = 16

const emptySlot = "               \n"

// helper watches over haz's death. The zero value is ready; all methods are safe for concurrent use.
type helper struct {
	mu      sync.Mutex
	table   *os.File // nil without a helper
	free    []int    // slots that were used before
	slots   int      // slots in use or free
	pipe    int      // its input, our end; -1 without one
	pid     int      // 0 while it is not there
	started chan struct{}
	trouble []string
}

// start prepares the table and returns; the shell is started beside the preparations for the first task.
func (h *helper) start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pipe, h.started = -1, make(chan struct{})
	table, err := sharedFile()
	if err != nil {
		close(h.started)
		h.fail(err)
		return
	}
	r, w, err := pipe()
	if err != nil {
		table.Close()
		close(h.started)
		h.fail(err)
		return
	}
	h.table, h.pipe = table, w
	go func() {
		defer close(h.started)
		pid, err := launchHelper(r, int(table.Fd()))
		unix.Close(r)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.pid = pid
		if err != nil {
			h.fail(err)
		}
	}()
}

func launchHelper(input, table int) (int, error) {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(null)
	return children.forkHelper(func() (int, error) {
		return syscall.ForkExec("/bin/sh", []string{"sh", "-c", helperScript, helperName}, &syscall.ProcAttr{
			Dir:   "/",
			Env:   []string{"PATH=/bin:/usr/bin:" + os.Getenv("PATH")},
			Files: []uintptr{uintptr(input), uintptr(null), uintptr(null), uintptr(table)},
			Sys:   &syscall.SysProcAttr{Setsid: true},
		})
	})
}

// await returns when the helper is there or has failed. A task must not be forked before: if haz were killed at that moment,
// nobody would notice. It is called after start.
func (h *helper) await() { <-h.started }

// fail gives the helper up. The caller holds mu.
func (h *helper) fail(err error) {
	h.trouble = append(h.trouble, "if haz is killed, its tasks go on: the helper that would end them is missing: "+errText(err))
}

// expect takes a line of the table for a process that is about to be forked and will write to the pipe with that inode; 0
// where that is not known. The result is for enter and remove.
func (h *helper) expect(pipe uint64) (slot int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.table == nil {
		return -1
	}
	if n := len(h.free); n > 0 {
		slot, h.free = h.free[n-1], h.free[:n-1]
	} else {
		slot = h.slots
		h.slots++
	}
	if pipe > 0 && pipe < 1e10 {
		h.write(slot, "p"+strconv.FormatUint(pipe, 10))
	}
	return slot
}

// enter puts the group of the process into its line.
func (h *helper) enter(slot, group int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if slot >= 0 && h.table != nil {
		h.write(slot, strconv.Itoa(group))
	}
}

// write replaces a line of the table. The caller holds mu.
func (h *helper) write(slot int, text string) {
	if _, err := h.table.WriteAt([]byte(text+emptySlot[len(text):]), int64(slot)*slotSize); err != nil && len(h.trouble) == 0 {
		h.fail(err)
	}
}

// remove takes a group out of the table, before its number can mean another one.
func (h *helper) remove(slot int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if slot < 0 || h.table == nil {
		return
	}
	if _, err := h.table.WriteAt([]byte(emptySlot), int64(slot)*slotSize); err != nil {
		// A wrong table could end somebody else's processes one day. None is better.
		h.table.Truncate(0)
		if len(h.trouble) == 0 {
			h.fail(err)
		}
	}
	h.free = append(h.free, slot)
}

// stop ends the helper and waits for that.
func (h *helper) stop() {
	<-h.started
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.table == nil {
		return
	}
	unix.Write(h.pipe, []byte("\n"))
	unix.Close(h.pipe)
	h.table.Close()
	h.table = nil
	if h.pid == 0 {
		return
	}
	deadline := time.Now().Add(time.Second)
	for pause := 100 * time.Microsecond; !h.reaped(); pause = min(2*pause, 10*time.Millisecond) {
		if time.Now().After(deadline) {
			unix.Kill(h.pid, unix.SIGKILL)
		}
		time.Sleep(pause)
	}
}

// reaped reports that the helper has ended. The caller holds mu.
func (h *helper) reaped() bool {
	if h.pid == 0 {
		return true
	}
	n, err := syscall.Wait4(h.pid, nil, syscall.WNOHANG, nil)
	if n == 0 && err == nil || err == syscall.EINTR {
		return false
	}
	children.forgetHelper(h.pid)
	h.pid = 0
	return true
}

func (h *helper) troubles() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.table != nil && h.pid != 0 && h.reaped() {
		h.fail(errors.New("it has ended"))
	}
	return append([]string(nil), h.trouble...)
}
