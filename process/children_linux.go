package process

import (
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// children knows which of this process's children belong to tasks. There is one for all spawners, because being child
// subreaper is a property of the whole process: orphans of every task come to the same parent.
var children = &registry{tasks: map[int]*proc{}, helpers: map[int]bool{}, strays: map[int]*stray{}, sessions: map[int]int64{}, dying: map[int]dyingChild{}}

type registry struct {
	// gate is held for reading from before a fork until the child is registered. Taking it for writing means: no child of
	// ours is unknown now.
	gate sync.RWMutex

	mu       sync.Mutex
	users    int  // spawners that want us to be subreaper
	reaper   bool // we made the process one, so we undo it
	sole     int  // spawners that know of no other children than theirs
	watching *reaper
	list     *os.File
	buf      [4096]byte
	tasks    map[int]*proc
	helpers  map[int]bool
	strays   map[int]*stray // children that tasks have left behind
	sessions map[int]int64  // of settled strays, with the tick of that: what is born there is theirs
	dying    map[int]dyingChild
}

// stray is a child that some task left behind.
type stray struct {
	listed  bool // in the record of a task
	settled bool // no running task can be meant: it stays, whatever happens
}

// dyingChild is a zombie that nobody knows.
type dyingChild struct {
	birth int64
	seen  time.Time
}

// lazyWait is how long an unknown zombie is left to the host, which may be about to wait for it. Tests shorten it.
var lazyWait = 5 * time.Second

// join makes this process child subreaper. A failure is no trouble by itself: then orphans go elsewhere, and are neither
// listed nor swept.
func (r *registry) join() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users++
	if r.users > 1 {
		return
	}
	var was int32
	if err := prctlGetSubreaper(&was); err == nil && was == 0 {
		r.reaper = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == nil
	}
	// Orphans are given to the main thread, whose list is all we need. Reading it is one system call.
	pid := strconv.Itoa(os.Getpid())
	if r.list == nil { // else somebody is just about to leave
		r.list, _ = os.Open("/proc/self/task/" + pid + "/children")
	}
	r.watching = r.startReaper()
}

func (r *registry) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users--
	if r.users > 0 {
		return
	}
	watching := r.watching
	r.watching = nil
	r.mu.Unlock()
	watching.end()
	r.mu.Lock()
	if r.users > 0 { // somebody has joined meanwhile
		return
	}
	r.unknown(true) // reaps what has died
	if r.reaper {
		unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
		r.reaper = false
	}
	if r.list != nil {
		r.list.Close()
		r.list = nil
	}
}

// own says that this process starts no children that package process does not know, but such as stay in its session; or (-1)
// that this is over.
func (r *registry) own(by int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sole += by
}

// fork starts p's main process with f and registers it.
func (r *registry) fork(p *proc, f func() (int, error)) error {
	r.gate.RLock()
	defer r.gate.RUnlock()
	p.birth = bootTicks()
	pid, err := f()
	if err != nil {
		return err
	}
	p.pid = pid
	r.mu.Lock()
	r.tasks[pid] = p
	delete(r.sessions, pid) // of an older process of that number
	delete(r.dying, pid)
	r.mu.Unlock()
	return nil
}

func (r *registry) forkHelper(f func() (int, error)) (int, error) {
	r.gate.RLock()
	defer r.gate.RUnlock()
	pid, err := f()
	if err == nil {
		r.mu.Lock()
		r.helpers[pid] = true
		r.mu.Unlock()
	}
	return pid, err
}

func (r *registry) forgetHelper(pid int) {
	r.mu.Lock()
	delete(r.helpers, pid)
	r.mu.Unlock()
}

// remove drops a process whose end is complete.
func (r *registry) remove(p *proc) {
	r.mu.Lock()
	delete(r.tasks, p.pid)
	if !p.reaped { // the kernel does not let go of it; wait for it some day
		r.strays[p.pid] = &stray{listed: true, settled: true}
	}
	r.mu.Unlock()
}

// alive reports whether a stray still lives, and reaps and forgets it if not. The caller holds mu.
func (r *registry) alive(pid int) bool {
	n, err := unix.Wait4(pid, nil, unix.WNOHANG, nil)
	if n == 0 && err == nil || err == unix.EINTR {
		return true
	}
	delete(r.strays, pid)
	return false
}

// each calls f for the main thread's children. The caller holds mu.
func (r *registry) each(f func(pid int)) {
	if r.list != nil {
		// A child that is waited for while the kernel writes the list makes it leave out another one. It has listed the one that
		// is gone by then, so two equal lists are whole.
		was := r.read(nil)
		for range 20 {
			is := r.read(nil)
			if slices.Equal(was, is) {
				for _, pid := range is {
					f(pid)
				}
				return
			}
			was = is
		}
	}
	self := os.Getpid() // a kernel without that file, or children that come and go all the time
	for _, q := range snapshot() {
		if q.ppid == self {
			f(q.pid)
		}
	}
}

// read appends the list of children as it is, once.
func (r *registry) read(pids []int) []int {
	pid := 0 // a number may be cut in two by the buffer's end
	for off := int64(0); ; {
		n, err := r.list.ReadAt(r.buf[:], off)
		off += int64(max(n, 0))
		for _, c := range r.buf[:max(n, 0)] {
			switch {
			case c >= '0' && c <= '9':
				pid = pid*10 + int(c-'0')
			case pid != 0:
				pids = append(pids, pid)
				pid = 0
			}
		}
		if n <= 0 || err != nil {
			return pids
		}
	}
}

// unknown returns children that neither a running task nor the past explains. On the path of a task that left nothing
// behind it costs a few system calls. The caller holds mu; with gated also gate, so that what is unknown is certainly not
// being started just now, and zombies can be reaped.
func (r *registry) unknown(gated bool) []procInfo {
	var out []procInfo
	self, own := 0, 0
	r.each(func(pid int) {
		if r.tasks[pid] != nil || r.helpers[pid] {
			return
		}
		if s := r.strays[pid]; s != nil && (!r.alive(pid) || s.settled) {
			return
		}
		if d, ok := r.dying[pid]; ok && time.Since(d.seen) <= lazyWait {
			return // spares a look at it with each end of a task
		}
		if self == 0 {
			self = os.Getpid()
			own, _ = unix.Getsid(0)
		}
		q, ok := readStat(pid)
		if !ok || q.ppid != self || q.sid == own {
			return // gone, or the host's
		}
		if q.zombie() {
			switch {
			case !gated: // it may be of a task whose fork is not registered yet, so nothing is said of it
				out = append(out, q)
			case r.forlorn(q):
				unix.Wait4(pid, nil, unix.WNOHANG, nil)
				delete(r.dying, pid)
			}
			return
		}
		if since, ok := r.sessions[q.sid]; ok {
			if q.pid != q.sid || q.birth <= since {
				r.strays[pid] = &stray{listed: true, settled: true}
				return
			}
			delete(r.sessions, q.sid) // its number has come back
		}
		out = append(out, q)
	})
	return out
}

// forlorn reports whether a zombie that nobody knows waits for us: it was seen before and is still there, so the host does
// not wait for it.
func (r *registry) forlorn(q procInfo) bool {
	if r.ours(q) {
		return true
	}
	d, ok := r.dying[q.pid]
	if ok && d.birth == q.birth {
		return time.Since(d.seen) > lazyWait
	}
	if len(r.dying) > 10000 { // long reaped, by others
		clear(r.dying)
	}
	r.dying[q.pid] = dyingChild{q.birth, time.Now()}
	return false
}

// found is a stray with the claim of the task that asks, and with its own descendants.
type found struct {
	procInfo
	claim
	listed bool
	tree   []procInfo
}

// straysOf returns the children that p's task may have left behind.
func (r *registry) straysOf(p *proc) []found {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.unknown(false)) == 0 {
		return nil
	}
	// A child that is just being started is unknown too. Let all forks finish, then look again.
	r.mu.Unlock()
	r.gate.Lock()
	r.mu.Lock()
	us := r.unknown(true)
	r.gate.Unlock()
	if len(us) == 0 {
		return nil
	}
	all := snapshot()
	r.prune(all)
	x := candidate{pid: p.pid, birth: p.birth}
	others := make([]candidate, 0, len(r.tasks))
	for _, o := range r.tasks {
		if o != p {
			others = append(others, candidate{o.pid, o.birth, o.isHurried()})
		}
	}
	var out []found
	for _, q := range us {
		f := found{procInfo: q, claim: judge(q, x, others)}
		if f.claim == foreign {
			continue
		}
		f.listed = r.strays[q.pid] != nil && r.strays[q.pid].listed
		f.tree = below(all, map[int]bool{q.pid: true})
		out = append(out, f)
	}
	return out
}

// prune forgets sessions that are empty, since their numbers may come back with another meaning.
func (r *registry) prune(all []procInfo) {
	if len(r.sessions) == 0 {
		return
	}
	living := make(map[int]bool, len(all))
	for _, q := range all {
		living[q.sid] = true
	}
	for sid := range r.sessions {
		if !living[sid] {
			delete(r.sessions, sid)
		}
	}
}

// note records that f was listed, and when no other task can be meant, that it stays.
func (r *registry) note(f found) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.strays[f.pid] = &stray{listed: true, settled: f.claim == mine}
	if f.claim != mine {
		return
	}
	now := bootTicks()
	r.sessions[f.sid] = now
	for _, q := range f.tree {
		r.sessions[q.sid] = now
	}
}
