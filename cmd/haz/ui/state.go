// Package ui is the full-screen view of runs: what is shown (state.go, log.go) as a model of events and keys, without clock and terminal; how it is
// drawn (drawing.go); and the terminal around it (view.go).
package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/report"
	"github.com/haz-build/haz/workspace"
)

// state is all that the view shows.
type state struct {
	look  report.Look
	watch bool // runs follow each other, and keys lead to them

	logs  logs
	rows  []*row // the first is haz itself
	index map[workspace.TaskID]*row

	started, ended time.Time
	paused         bool

	cursor int
	follow bool // the cursor goes where something begins, the log to its end
	inLog  bool // keys are the log's
	top    int  // first line of the log that is shown, when it does not follow, counted from the first one that was ever written
	hit    int  // the line that was found last, counted from 1 in the same way; 0: none
	left   int  // columns of the log that are scrolled away

	typing bool // a search is being typed
	search string
	help   bool
	status string
	page   int // lines of the log that fit; drawing says so
}

// phase is where a task stands.
type phase uint8

const (
	waiting phase = iota
	running
	ready // a service that answers
	completed
	cached
	failed
	skipped
	cancelled
)

// row is a line of the list.
type row struct {
	task           workspace.TaskID // of haz itself: none
	phase          phase
	again          int // how often its process was started anew
	started, ended time.Time
	log            *log
}

// works reports whether a process of the task is there.
func (r *row) works() bool { return r.phase == running || r.phase == ready }

func newState(look report.Look, watch bool) *state {
	s := &state{look: look, watch: watch, follow: true, page: 1}
	s.rows = []*row{{log: s.logs.make()}}
	return s
}

// handle takes an event of a run.
func (s *state) handle(e messages.Event) {
	switch e := e.(type) {
	case messages.RunStarted:
		s.begin(e)
	case messages.TaskStarted:
		r := s.row(e.Task)
		r.phase, r.started = running, e.At
		if s.follow && !s.inLog {
			s.cursor = s.position(r)
		}
	case messages.ServiceStarted:
		r := s.row(e.Task)
		r.phase = ready
		s.logs.add(r.log, strings.TrimSuffix(s.look.Ready(e), "\n"))
	case messages.TaskOutput:
		stream := 0
		if e.Stderr {
			stream = 1
		}
		s.logs.write(s.row(e.Task).log, stream, e.Bytes)
	case messages.AttemptFailed:
		s.anew(e.Task, fmt.Sprintf("attempt %d of %d failed; again", e.N, e.Allowed))
	case messages.TaskRestarted:
		s.anew(e.Task, "stopped by request; again")
	case messages.TaskNoted:
		s.noted(s.row(e.Task).log, e.Text, e.Hint)
	case messages.RunNoted:
		s.noted(s.rows[0].log, e.Text, e.Hint)
	case messages.TaskFinished:
		s.finish(e.Outcome)
	case messages.ViolationFound:
		s.say(s.look.Violation(e.Violation))
	case messages.RunCancelling:
		s.say(s.look.Cancelling(e))
	case messages.RunFinished:
		s.ended = e.At
	}
}

// begin shows another run: the cursor stays on its task where that is in it, and what the task printed before is gone.
func (s *state) begin(e messages.RunStarted) {
	was := s.rows[s.cursor].task
	haz := s.rows[0]
	s.logs = logs{all: []*log{haz.log}, bytes: haz.log.bytes}
	s.rows, s.index, s.cursor = []*row{haz}, make(map[workspace.TaskID]*row, len(e.Tasks)), 0
	s.started, s.ended = e.At, time.Time{}
	s.top, s.left, s.hit = 0, 0, 0
	for _, id := range e.Tasks {
		r := &row{task: id, log: s.logs.make()}
		s.rows, s.index[id] = append(s.rows, r), r
		if id == was {
			s.cursor = len(s.rows) - 1
		}
	}
	if s.cursor == 0 && was != (workspace.TaskID{}) {
		s.inLog = false
	}
}

// row is that of a task; of one that the run has not told of, a new one.
func (s *state) row(id workspace.TaskID) *row {
	r := s.index[id]
	if r == nil {
		r = &row{task: id, log: s.logs.make()}
		if s.index == nil {
			s.index = map[workspace.TaskID]*row{}
		}
		s.rows, s.index[id] = append(s.rows, r), r
	}
	return r
}

func (s *state) position(r *row) int {
	for i := range s.rows {
		if s.rows[i] == r {
			return i
		}
	}
	return 0
}

func (s *state) anew(id workspace.TaskID, why string) {
	r := s.row(id)
	r.again++
	r.phase = running
	s.logs.flush(r.log)
	s.logs.add(r.log, s.look.Palette.Dim("-- "+why+" --"))
}

func (s *state) finish(o messages.Outcome) {
	r := s.row(o.Task)
	s.logs.flush(r.log)
	r.started, r.ended = o.Started, o.Ended
	switch {
	case o.Status == messages.Completed && o.Source == messages.FromCache:
		r.phase = cached
	case o.Status == messages.Completed:
		r.phase = completed
	case o.Status == messages.Failed:
		r.phase = failed
	case o.Status == messages.Skipped:
		r.phase = skipped
	default:
		r.phase = cancelled
	}
	s.logs.add(r.log, strings.TrimSuffix(s.look.Finished(o), "\n"))
}

// say puts what haz says in its own log.
func (s *state) say(text string) {
	l := s.rows[0].log
	s.logs.write(l, 0, []byte(text))
	s.logs.flush(l)
}

func (s *state) noted(l *log, text, hint string) {
	s.logs.add(l, s.look.Palette.Yellow("note: ")+clean([]byte(text)))
	if hint != "" {
		s.logs.add(l, s.look.Palette.Dim("  hint: "+clean([]byte(hint))))
	}
}

// effect is what is to be done after a key.
type effect uint8

const (
	nothing   effect = iota
	stopRun          // as a signal would
	suspend          // with all that runs, as a shell does
	restart          // the task under the cursor
	cancel           // the task under the cursor
	rerun            // a watch: run again
	rerunAll         // a watch: carry everything out
	pauseRuns        // a watch
	leave            // a watch
)

// press takes a key, as the terminal library spells it.
func (s *state) press(key string) effect {
	s.status = ""
	switch {
	case key == "ctrl+c":
		return stopRun
	case key == "ctrl+z":
		return suspend
	case s.help:
		s.help = false
		return nothing
	case s.typing:
		s.typed(key)
		return nothing
	}
	switch key {
	case "q":
		if s.watch {
			return leave
		}
		return stopRun
	case "?", "h":
		s.help = true
	case "r", "c":
		return s.command(key)
	case "a":
		if s.watch {
			return rerunAll
		}
	case "p":
		if s.watch {
			return pauseRuns
		}
	case "/":
		s.typing, s.search, s.inLog = true, "", true
	case "n", "N":
		s.next(key == "N")
	case "f":
		s.follow = !s.follow
		if s.follow {
			s.status = "following"
		} else {
			s.keepTop()
			s.status = "not following"
		}
	default:
		s.move(key)
	}
	return nothing
}

// command is what r and c ask for: r restarts a task that is being carried out; where none is selected, a watch runs again.
func (s *state) command(key string) effect {
	r := s.rows[s.cursor]
	switch {
	case key == "c" && r.works(), key == "c" && r.phase == waiting && s.cursor > 0:
		return cancel
	case key == "r" && r.works():
		return restart
	case key == "r" && s.watch:
		return rerun
	case s.cursor == 0:
		s.status = "select a task first"
	default:
		s.status = r.task.String() + " is not being carried out"
	}
	return nothing
}

func (s *state) move(key string) {
	if s.inLog {
		s.scroll(key)
		return
	}
	last := len(s.rows) - 1
	to := s.cursor
	switch key {
	case "down", "j":
		to++
	case "up", "k":
		to--
	case "pgdown", "ctrl+d":
		to += 10
	case "pgup", "ctrl+u":
		to -= 10
	case "home", "g":
		to = 0
	case "end", "G":
		to = last
	case "enter", "l", "right":
		s.inLog = true
		return
	default:
		return
	}
	if to = min(max(0, to), last); to != s.cursor {
		s.cursor, s.left, s.hit = to, 0, 0
	}
	s.follow = false
	s.keepTop()
}

func (s *state) log() *log { return s.rows[s.cursor].log }

// bottom is the first line that is shown when the last one is.
func (s *state) bottom() int { return max(0, len(s.log().lines)-s.page) }

// first is the line of the log that is shown first.
func (s *state) first() int {
	if s.follow {
		return s.bottom()
	}
	return min(max(0, s.top-s.log().dropped), s.bottom())
}

// keepTop has the log stay where it is.
func (s *state) keepTop() { s.top = s.log().dropped + s.bottom() }

const sideways = 8

func (s *state) scroll(key string) {
	to := s.first()
	switch key {
	case "esc", "enter", "backspace":
		s.inLog = false
		return
	case "left":
		if s.left == 0 {
			s.inLog = false
		}
		s.left = max(0, s.left-sideways)
		return
	case "right", "l":
		s.left = min(s.left+sideways, lineBytes)
		return
	case "down", "j":
		to++
	case "up", "k":
		to--
	case "pgdown", "space", "ctrl+d":
		to += max(1, s.page-1)
	case "pgup", "b", "ctrl+u":
		to -= max(1, s.page-1)
	case "home", "g":
		to = 0
	case "end", "G":
		s.follow = true
		return
	default:
		return
	}
	s.top, s.follow = s.log().dropped+min(max(0, to), s.bottom()), false
}

// typed takes a key of the search that is being typed.
func (s *state) typed(key string) {
	switch {
	case key == "enter":
		s.typing = false
		if s.search != "" {
			s.find(s.first(), 1)
		}
	case key == "esc":
		s.typing, s.search = false, ""
	case key == "backspace":
		if r := []rune(s.search); len(r) > 0 {
			s.search = string(r[:len(r)-1])
		}
	case key == "space":
		s.search += " "
	case len([]rune(key)) == 1 && len(s.search) < 200:
		s.search += key
	}
}

func (s *state) next(back bool) {
	from := s.first()
	if s.hit > 0 {
		from = s.hit - 1 - s.log().dropped
	}
	switch {
	case s.search == "":
		s.status = "nothing to search for: /"
	case back:
		s.find(from-1, -1)
	default:
		s.find(from+1, 1)
	}
}

// find goes to the next line that holds what is searched for, from one on, around the ends.
func (s *state) find(from, by int) {
	l := s.log()
	n := len(l.lines)
	for i := range n {
		at := ((from+by*i)%n + n) % n
		if s.matches(l.lines[at]) {
			s.top, s.follow, s.hit = l.dropped+min(at, s.bottom()), false, l.dropped+at+1
			return
		}
	}
	s.status, s.hit = "not found: "+s.search, 0
}

// matches reports whether a line holds what is searched for; capitals count only where the search has some.
func (s *state) matches(line string) bool {
	text := ansi.Strip(line)
	if strings.ToLower(s.search) == s.search {
		text = strings.ToLower(text)
	}
	return s.search != "" && strings.Contains(text, s.search)
}

// counts are how many tasks are in each phase.
func (s *state) counts() (n [cancelled + 1]int) {
	for _, r := range s.rows[1:] {
		n[r.phase]++
	}
	return n
}
