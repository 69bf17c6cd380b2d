package state

import (
	"os"
	"strconv"
	"strings"

	"github.com/haz-build/haz/fsys"
)

// maxAncestors bounds the walk up the tree of processes, which has a root but changes while it is read.
const maxAncestors = 1000

// statMax bounds what the kernel says of a process, bytes.
const statMax = 1 << 16

// ancestors returns this process, those that it descends from, and the leaders of the sessions that they and it are in: a
// task leads a session, and a process in it whose parent has died belongs to the task still.
func ancestors() map[int]bool {
	set := ancestorsOf(os.Getpid())
	set[os.Getppid()] = true // also where there is no /proc
	delete(set, 0)
	return set
}

// ancestorsOf is ancestors for any process.
func ancestorsOf(of int) map[int]bool {
	set := map[int]bool{of: true}
	machine := fsys.Machine()
	for pid, n := of, 0; pid > 1 && n < maxAncestors; n++ {
		data, _, err := machine.ReadFile("/proc/"+strconv.Itoa(pid)+"/stat", statMax)
		if err != nil {
			break
		}
		parent, session, ok := parseStat(string(data))
		if !ok {
			break
		}
		if pid == os.Getpid() {
			parent = os.Getppid()
		}
		set[parent], set[session] = true, true
		pid = parent
	}
	delete(set, 0)
	return set
}

// depth is how many processes above this one are the same program.
func depth() int {
	n, machine := 0, fsys.Machine()
	self, err := machine.Readlink("/proc/self/exe")
	if err != nil {
		return 0
	}
	for pid, i := os.Getppid(), 0; pid > 1 && i < maxAncestors; i++ {
		dir := "/proc/" + strconv.Itoa(pid)
		if exe, _ := machine.Readlink(dir + "/exe"); exe == self {
			n++
		}
		data, _, _ := machine.ReadFile(dir+"/stat", statMax)
		parent, _, ok := parseStat(string(data))
		if !ok {
			break
		}
		pid = parent
	}
	return n
}

// parseStat reads parent and session from /proc/PID/stat. The second field is a name in parentheses that may hold anything.
func parseStat(text string) (parent, session int, ok bool) {
	i := strings.LastIndexByte(text, ')')
	if i < 0 {
		return 0, 0, false
	}
	fields := strings.Fields(text[i+1:]) // state, parent, group, session
	if len(fields) < 4 {
		return 0, 0, false
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0, 0, false
	}
	session, err = strconv.Atoi(fields[3])
	return parent, session, err == nil
}
