package process

import "sync"

// What haz asks of spawners and processes beyond their interfaces: a host's own may know nothing of it.

// OSPID is the number that a process has in the operating system; false for one that has none there: a script, a container, a
// process of another machine. Others read that number (as an ancestor of theirs, say), so a number of another kind must not
// reach them.
//
// A process of a host says so itself, by a method OSProcess() bool. One that does not, such as a wrapper, counts as a process of
// the operating system if a spawner of System in this program runs one of that number.
func OSPID(p Process) (pid int, ok bool) {
	pid = p.PID()
	if says, is := p.(interface{ OSProcess() bool }); is {
		ok = says.OSProcess()
	} else {
		_, ok = byNumber.Load(pid)
	}
	return pid, ok && pid > 0
}

// byNumber are the main processes of all System spawners that have not been waited for: int → *proc. A host may have wrapped both
// spawner and process.
var byNumber sync.Map

// KillEach sends SIGKILL to these processes of a spawner, and with System to their groups and to what escaped from them: what
// KillAll does, but others that use the same spawner are left alone. It returns when that is done.
func KillEach(s Spawner, ps []Process) {
	if len(ps) == 0 {
		return
	}
	if k, ok := s.(interface{ killPIDs([]int) }); ok {
		numbers := make([]int, 0, len(ps))
		for _, p := range ps {
			if pid, ok := OSPID(p); ok {
				numbers = append(numbers, pid)
			}
		}
		k.killPIDs(numbers)
	}
	for _, p := range ps {
		p.Kill()
	}
}

// CloseWhenIdle closes a spawner now, or where processes still run, when the last of them has ended, in its own time: nothing
// can be started afterwards. A spawner that cannot wait is closed if it has no processes.
func CloseWhenIdle(s Spawner) {
	if c, ok := s.(interface{ closeWhenIdle() }); ok {
		c.closeWhenIdle()
		return
	}
	_ = s.Close()
}
