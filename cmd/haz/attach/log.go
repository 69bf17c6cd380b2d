package attach

import (
	"slices"
	"sync"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Log is what has happened in a run, for those who come later (EXEC-087): all but output for good, output as far as there is room, the latest. A watch begins anew
// with each run. Adding to it waits for nobody.
type Log struct {
	room int // bytes of output

	mu      sync.Mutex
	first   int // number of the first entry
	entries []stored
	bytes   int           // of output in them
	oldest  int           // number of the first entry that may still have output
	stirred chan struct{} // closed with the next event; nil while nobody waits for it
	over    bool

	state   State
	running map[workspace.TaskID]bool
	ended   map[workspace.TaskID]bool
	tasks   []workspace.TaskID
}

// stored is an event; of output that gave way, how much there was.
type stored struct {
	event  any
	missed int
}

// keptOutput is the room for output: much more than a terminal scrolls back.
const keptOutput = 4 << 20

// NewLog makes an empty one.
func NewLog() *Log {
	return &Log{room: keptOutput, running: map[workspace.TaskID]bool{}, ended: map[workspace.TaskID]bool{}}
}

// Add notes an event. Its bytes are copied.
func (l *Log) Add(e messages.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch m := e.(type) {
	case messages.RunStarted:
		l.restart(m)
	case messages.TaskStarted:
		l.running[m.Task] = true
	case messages.TaskOutput:
		m.Bytes = slices.Clone(m.Bytes)
		l.bytes += len(m.Bytes)
		e = m
	case messages.TaskFinished:
		l.finish(m.Outcome)
	}
	l.put(e)
}

// End notes that the run, or the watch, is over.
func (l *Log) End(code int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.put(Ended{code})
		l.over = true
	}
}

// put appends, makes room, and wakes whoever waits. The caller holds mu.
func (l *Log) put(e any) {
	l.entries = append(l.entries, stored{event: e})
	for ; l.bytes > l.room; l.oldest++ {
		s := &l.entries[l.oldest-l.first]
		if out, ok := s.event.(messages.TaskOutput); ok {
			l.bytes -= len(out.Bytes)
			*s = stored{missed: len(out.Bytes)}
		}
	}
	if l.stirred != nil {
		close(l.stirred)
		l.stirred = nil
	}
}

// restart begins the log of another run. The caller holds mu.
func (l *Log) restart(m messages.RunStarted) {
	l.first += len(l.entries)
	l.entries, l.bytes, l.oldest = nil, 0, l.first
	l.state = State{Run: m.Run, Selected: len(m.Tasks)}
	l.running, l.ended, l.tasks = map[workspace.TaskID]bool{}, map[workspace.TaskID]bool{}, m.Tasks
}

func (l *Log) finish(o messages.Outcome) {
	delete(l.running, o.Task)
	l.ended[o.Task] = true
	switch {
	case o.Status == messages.Completed:
		l.state.Done++
	case o.Status == messages.Failed:
		l.state.Failed++
	default:
		l.state.Skipped++
	}
}

// State is how far the run is.
func (l *Log) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.state
	s.Running = len(l.running)
	s.Waiting = max(0, s.Selected-len(l.ended)-s.Running)
	return s
}

// Tasks are those of the run, in canonical order. They are not to be changed.
func (l *Log) Tasks() []workspace.TaskID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tasks
}

// atOnce is how many events a visitor takes at a time.
const atOnce = 256

// next is what comes from a place on, and the place behind it; what was forgotten is counted, one Missed for all that stood together. Where there is nothing yet, stirred is closed when there is.
func (l *Log) next(from int) (events []any, behind int, stirred <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from = max(from, l.first)
	until := min(l.first+len(l.entries), from+atOnce)
	missed := 0
	for _, s := range l.entries[from-l.first : until-l.first] {
		if s.event == nil {
			missed += s.missed
			continue
		}
		if missed > 0 {
			events = append(events, Missed{missed})
			missed = 0
		}
		events = append(events, s.event)
	}
	if missed > 0 {
		events = append(events, Missed{missed})
	}
	if l.stirred == nil {
		l.stirred = make(chan struct{})
	}
	return events, until, l.stirred
}
