package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/report"
	"github.com/haz-build/haz/workspace"
)

var zero = time.Unix(1000, 0)

func id(task string) workspace.TaskID { return workspace.TaskID{Project: "p", Task: task} }

func at(seconds float64) time.Time { return zero.Add(time.Duration(seconds * float64(time.Second))) }

// told is a run in the middle: a hit, a failure, a task that runs and one behind it, one that waits.
func told(watch bool) *state {
	s := newState(report.Look{Glyphs: report.GlyphSet(false)}, watch)
	s.page = 5
	for _, e := range []messages.Event{
		messages.RunStarted{Run: "r", Tasks: []workspace.TaskID{id("build"), id("gen"), id("late"), id("lint"), id("serve")}, At: at(0)},
		messages.TaskStarted{Task: id("gen"), At: at(0)},
		messages.TaskOutput{Task: id("gen"), Replayed: true, Bytes: []byte("made 3 files\n")},
		messages.TaskFinished{Outcome: messages.Outcome{Task: id("gen"), Status: messages.Completed, Source: messages.FromCache, Started: at(0), Ended: at(0.01)}},
		messages.TaskStarted{Task: id("lint"), At: at(0.1)},
		messages.TaskOutput{Task: id("lint"), Stderr: true, Bytes: []byte("a.go:3: \x1b[31mbad\x1b[0m\n")},
		messages.TaskFinished{Outcome: messages.Outcome{Task: id("lint"), Status: messages.Failed, ExitCode: 2, Started: at(0.1), Ended: at(1.6)}},
		messages.RunNoted{Text: "the cache is larger than cache.clean.max_size", Hint: "haz cache clean"},
		messages.TaskStarted{Task: id("serve"), At: at(0.2)},
	} {
		s.handle(e)
	}
	for i := range 30 {
		s.handle(messages.TaskOutput{Task: id("serve"), Bytes: []byte(fmt.Sprintf("request %d of /%s\n", i, strings.Repeat("漢字", i%3)))})
	}
	return s
}

// pressed presses keys, and returns the effects that are any.
func pressed(s *state, keys string) (effects []effect) {
	for _, k := range strings.Fields(keys) {
		if e := s.press(k); e != nothing {
			effects = append(effects, e)
		}
	}
	return effects
}

// What keys ask for (AUX-050).
func TestKeys(t *testing.T) {
	for _, c := range []struct {
		keys        string
		run, watch  string // effects
		status      string // of a run
		cursor      string
		inLog, help bool
	}{
		{keys: "", run: "[]", watch: "[]", cursor: "p:serve"},
		{keys: "q", run: "[1]", watch: "[8]", cursor: "p:serve"},
		{keys: "ctrl+c ctrl+c", run: "[1 1]", watch: "[1 1]", cursor: "p:serve"},
		{keys: "? ctrl+c", run: "[1]", watch: "[1]", cursor: "p:serve", help: true},
		{keys: "/ q ctrl+c", run: "[1]", watch: "[1]", cursor: "p:serve", inLog: true},
		{keys: "ctrl+z", run: "[2]", watch: "[2]", cursor: "p:serve"},
		{keys: "r c", run: "[3 4]", watch: "[3 4]", cursor: "p:serve"},
		{keys: "k r", run: "[]", watch: "[5]", cursor: "p:lint", status: "p:lint is not being carried out"},
		{keys: "k c", run: "[]", watch: "[]", cursor: "p:lint", status: "p:lint is not being carried out"},
		{keys: "k k c", run: "[4]", watch: "[4]", cursor: "p:late"}, // it waits
		{keys: "g r", run: "[]", watch: "[5]", cursor: ":", status: "select a task first"},
		{keys: "a p", run: "[]", watch: "[6 7]", cursor: "p:serve"},
		{keys: "? q", run: "[]", watch: "[]", cursor: "p:serve"},
		{keys: "?", run: "[]", watch: "[]", cursor: "p:serve", help: true},
		{keys: "home down j up", run: "[]", watch: "[]", cursor: "p:build"},
		{keys: "g up", run: "[]", watch: "[]", cursor: ":"},
		{keys: "G down pgdown", run: "[]", watch: "[]", cursor: "p:serve"},
		{keys: "enter", run: "[]", watch: "[]", cursor: "p:serve", inLog: true},
		{keys: "l esc", run: "[]", watch: "[]", cursor: "p:serve"},
		{keys: "right right left left", run: "[]", watch: "[]", cursor: "p:serve"},
		{keys: "n", run: "[]", watch: "[]", cursor: "p:serve", status: "nothing to search for: /"},
		{keys: "/ n o n e enter", run: "[]", watch: "[]", cursor: "p:serve", inLog: true, status: "not found: none"},
		{keys: "/ x esc n", run: "[]", watch: "[]", cursor: "p:serve", inLog: true, status: "nothing to search for: /"},
		{keys: "F5 alt+x", run: "[]", watch: "[]", cursor: "p:serve"},
	} {
		for _, watch := range []bool{false, true} {
			s, want := told(watch), c.run
			if watch {
				want = c.watch
			}
			if got := fmt.Sprint(pressed(s, c.keys)); got != want {
				t.Errorf("%q (watch: %t): effects %s, want %s", c.keys, watch, got, want)
			}
			if got := s.rows[s.cursor].task.String(); got != c.cursor || s.inLog != c.inLog || s.help != c.help || !watch && s.status != c.status {
				t.Errorf("%q: cursor %s, log %t, help %t, status %q; want %+v", c.keys, got, s.inLog, s.help, s.status, c)
			}
		}
	}
}

// Scrolling, following and searching of a log of 30 lines, of which 5 are shown: keys, and the first line that is shown then.
func TestLogKeys(t *testing.T) {
	for keys, want := range map[string]int{
		"enter": 25, "enter k": 24, "enter k k j": 24, "enter g": 0, "enter g pgdown": 4, "enter b": 21, "enter g G": 25, "enter g G k": 24, "enter space": 25,
		"/ r e q u e s t space 7 enter": 7, "/ R e q u e s t space 7 enter": 25, "/ 字 / enter n": 25, "enter g / 字 enter": 1, "enter g / 字 enter n n": 4, "enter g / 字 enter N": 25,
		"enter g / 2 9 enter": 25, "enter g f": 25, "enter f": 25, "/ 7 x backspace enter": 25, "enter g left enter": 0,
	} {
		s := told(false)
		pressed(s, keys)
		if got := s.first(); got != want {
			t.Errorf("%q: line %d, want %d (status %q)", keys, got, want, s.status)
		}
	}
	// What comes while one reads does not move what is read; who follows sees it.
	s := told(false)
	pressed(s, "enter g j j")
	reads := told(false)
	for _, s := range []*state{s, reads} {
		s.handle(messages.TaskOutput{Task: id("serve"), Bytes: []byte("one more\n")})
	}
	if s.first() != 2 || reads.first() != 26 {
		t.Errorf("the reader sees line %d, the follower %d", s.first(), reads.first())
	}
	for i := range 2 * logLines {
		s.handle(messages.TaskOutput{Task: id("serve"), Bytes: []byte(fmt.Sprintln(i))})
	}
	if s.first() != 0 || s.log().dropped == 0 {
		t.Errorf("what is not kept is shown: line %d of %d", s.first(), len(s.log().lines))
	}
}

// The list follows what begins until somebody moves; another run keeps the cursor on its task, and begins anew.
func TestListFollows(t *testing.T) {
	s := told(true)
	pressed(s, "k")
	s.handle(messages.TaskStarted{Task: id("late"), At: at(2)})
	if got := s.rows[s.cursor].task; got != id("lint") {
		t.Errorf("the cursor leaves for %s", got)
	}
	pressed(s, "f")
	s.handle(messages.TaskStarted{Task: id("build"), At: at(2)})
	if got := s.rows[s.cursor].task; got != id("build") {
		t.Errorf("the cursor is on %s", got)
	}
	pressed(s, "j j j j enter")
	if got := s.rows[s.cursor].task; got != id("serve") {
		t.Fatalf("the cursor is on %s", got)
	}
	s.handle(messages.RunStarted{Run: "s", Tasks: []workspace.TaskID{id("a"), id("serve")}, At: at(9)})
	if got := s.rows[s.cursor]; got.task != id("serve") || got.phase != waiting || len(got.log.lines) != 0 || !s.inLog {
		t.Errorf("after another begin: %+v", got)
	}
	if len(s.rows[0].log.lines) == 0 {
		t.Error("what haz said is gone")
	}
	s.handle(messages.RunStarted{Run: "t", At: at(10)})
	if s.cursor != 0 || s.inLog {
		t.Error("the cursor stays on a task that is gone")
	}
}

// A service is ready when it says so, and may be restarted and cancelled then; begun anew it is not ready.
func TestServices(t *testing.T) {
	s := told(false)
	s.handle(messages.ServiceStarted{Task: id("serve"), Port: 5432, At: at(1), Took: time.Second})
	if lines := s.log().lines; s.counts()[ready] != 1 || s.counts()[running] != 0 || !strings.Contains(lines[len(lines)-1], "ready on port 5432") {
		t.Errorf("%v, the last line %q", s.counts(), lines[len(lines)-1])
	}
	if got := pressed(s, "r c"); fmt.Sprint(got) != "[3 4]" {
		t.Errorf("effects %v", got)
	}
	s.handle(messages.TaskRestarted{Task: id("serve")})
	if s.counts()[running] != 1 {
		t.Errorf("%v", s.counts())
	}
}

// A process that is started anew is counted, and the log says why.
func TestStartedAnew(t *testing.T) {
	s := told(false)
	s.handle(messages.TaskOutput{Task: id("serve"), Bytes: []byte("half")})
	s.handle(messages.TaskRestarted{Task: id("serve")})
	s.handle(messages.AttemptFailed{Task: id("serve"), N: 1, Allowed: 3})
	lines := s.log().lines
	if got := strings.Join(lines[len(lines)-3:], "|"); got != "half|-- stopped by request; again --|-- attempt 1 of 3 failed; again --" || s.rows[s.cursor].again != 2 {
		t.Errorf("%q, %d times", got, s.rows[s.cursor].again)
	}
}
