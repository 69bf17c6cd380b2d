package attach

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func id(task string) workspace.TaskID { return workspace.TaskID{Project: "p", Task: task} }

var now = time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC)

// all has each kind of event, with all of its fields that are told.
func all() []any {
	long := messages.Outcome{Task: id("a"), Status: messages.Failed, Source: messages.FromRun, ExitCode: 7, Signal: 9, TimedOut: time.Minute, Allowed: 3, MadeOn: 2,
		Error:    &messages.TaskError{Kind: messages.ErrSpawn, Reason: "no such program", Hint: "install it", Causes: []string{"x"}},
		Failures: []messages.Attempt{{ExitCode: 1, Signal: 2, TimedOut: time.Second, Took: time.Hour}}, Started: now, Ended: now.Add(time.Second), Queued: time.Millisecond,
		Spawned: 3, Restarted: 1, Served: true, Leftovers: []messages.Leftover{{PID: 4, Command: "sleep"}}, Miss: &entry.Miss{Reason: entry.Damaged, Detail: "blob 2 of 3 missing"}}
	events := []any{
		messages.RunStarted{Run: "r", Tasks: []workspace.TaskID{id("a"), id("b:c")}, At: now},
		messages.TaskStarted{Task: id("a"), At: now, Miss: &entry.Miss{Reason: entry.NoEntry}},
		messages.TaskStarted{Task: id("b"), At: now},
		messages.TaskOutput{Task: id("a"), Stderr: true, Replayed: true, Bytes: []byte("\x00\xff\n")},
		messages.TaskNoted{Task: id("a"), Text: "t", Hint: "h"},
		messages.RunNoted{Text: "t", Hint: "h"},
		messages.AttemptFailed{Task: id("a"), N: 1, Allowed: 3, Attempt: long.Failures[0], Wait: time.Second},
		messages.TaskRestarted{Task: id("a")},
		messages.ServiceStarted{Task: id("a"), Port: 80, At: now, Took: time.Second},
		messages.TaskFinished{Outcome: long},
		messages.ViolationFound{Violation: messages.Violation{Kind: messages.OutputOverlap, Tasks: []workspace.TaskID{id("a")}, Path: "/x", From: id("a"), To: id("b"), Pattern: "*", Glob: true, Message: "m"}},
		messages.RunCancelling{Signal: "SIGINT", Running: 2, Grace: time.Second, Force: true, GoOn: []workspace.TaskID{id("a")}},
		messages.RunFinished{Counts: messages.Counts{Selected: 8, Completed: 7, Cached: 6, Failed: 5, Skipped: 4, Cancelled: 3, Flaky: 2, LeftOut: 1}, At: now},
		Missed{5}, Ended{130},
	}
	for c := messages.UpstreamDidFail; c <= messages.Requested; c++ {
		events = append(events, messages.TaskFinished{Outcome: messages.Outcome{Task: id("a"), Status: messages.Cancelled, Cause: c, Root: id("b")}})
	}
	for _, s := range []messages.Status{messages.Completed, messages.Failed, messages.Skipped, messages.Cancelled} {
		events = append(events, messages.TaskFinished{Outcome: messages.Outcome{Task: id("a"), Status: s, Source: messages.FromCache}})
	}
	return events
}

// What is told is what has happened.
func TestEventsComeAsTheyWent(t *testing.T) {
	for _, e := range all() {
		text, err := encode(e)
		if err != nil || bytes.Count(text, []byte("\n")) != 1 {
			t.Fatalf("%T: %q, %v", e, text, err)
		}
		got, err := decode(text)
		if diff := cmp.Diff(e, got); diff != "" || err != nil {
			t.Errorf("%s%v", diff, err)
		}
	}
	if e, err := decode([]byte(`{"event":"of a later haz","new":[1]}`)); e != nil || err != nil {
		t.Errorf("%v, %v", e, err)
	}
}

// Whatever comes over the wire is an event or an error, and an event that was read says the same when it is told on.
func FuzzDecode(f *testing.F) {
	for _, e := range all() {
		text, _ := encode(e)
		f.Add(text)
	}
	f.Add([]byte(`{"event":"task-finished"}`))
	f.Add([]byte(`{"event":"attempt-failed","task":"::"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := decode(text)
		if err != nil || e == nil {
			return
		}
		again, err := encode(e)
		if err != nil {
			return // a time beyond the year 9999
		}
		same, err := decode(again)
		if err != nil {
			t.Fatalf("%q: %v", again, err)
		}
		third, err := encode(same)
		if err != nil || !bytes.Equal(again, third) {
			t.Errorf("%q, and then %q, %v", again, third, err)
		}
	})
}

func output(task string, n int) messages.TaskOutput {
	return messages.TaskOutput{Task: id(task), Bytes: bytes.Repeat([]byte("x"), n)}
}

// Output gives way to later output; what happened stays, and the next run begins a new log.
func TestLogForgetsOutput(t *testing.T) {
	l := NewLog()
	l.room = 100
	l.Add(messages.RunStarted{Run: "1", Tasks: []workspace.TaskID{id("a"), id("b"), id("c"), id("d")}})
	for i := range 10 {
		l.Add(messages.TaskStarted{Task: id("a")})
		l.Add(output("a", 30))
		if i == 4 {
			l.Add(messages.TaskFinished{Outcome: messages.Outcome{Task: id("b"), Status: messages.Completed}})
			l.Add(messages.TaskFinished{Outcome: messages.Outcome{Task: id("c"), Status: messages.Failed}})
		}
	}
	events, _, _ := l.next(0)
	kept, missed, others := 0, 0, 0
	for _, e := range events {
		switch e := e.(type) {
		case messages.TaskOutput:
			kept += len(e.Bytes)
		case Missed:
			missed += e.Bytes
		default:
			others++
		}
	}
	if kept != 90 || missed != 210 || others != 13 {
		t.Errorf("%d bytes are kept, %d missed, %d other events", kept, missed, others)
	}
	if s := l.State(); s != (State{Run: "1", Selected: 4, Done: 1, Failed: 1, Running: 1, Waiting: 1}) {
		t.Errorf("%+v", s)
	}
	l.Add(output("a", 1000)) // more than there is room for at all
	l.Add(messages.RunStarted{Run: "2", Tasks: []workspace.TaskID{id("a")}})
	l.Add(output("a", 10))
	if events, behind, _ := l.next(3); len(events) != 2 || behind != l.first+2 {
		t.Errorf("%d events of the second run", len(events))
	}
}

// folder is a place for sockets, with a path of about that length.
func folder(t *testing.T, length int) fsys.FS {
	t.Helper()
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for len(dir) < length {
		dir = filepath.Join(dir, strings.Repeat("d", min(100, length-len(dir))))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	fs, err := fsys.Host(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fs.Close() })
	return fs
}

func listening(t *testing.T, dir fsys.FS, pid int, log *Log, act func(Request) Answer) *Server {
	t.Helper()
	s, err := Listen(dir, Hello{Haz: "1", PID: pid, Kind: "run", Command: []string{"haz", "run"}, Since: now.Add(time.Duration(pid))}, log, act)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Who comes late hears all from the beginning, and then what happens, to the end; wherever the socket lies.
func TestFollow(t *testing.T) {
	for _, length := range []int{0, 90, 300} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			dir, log := folder(t, length), NewLog()
			log.Add(messages.RunStarted{Run: "r", Tasks: []workspace.TaskID{id("a")}})
			log.Add(output("a", 3))
			s := listening(t, dir, 7, log, nil)
			found := List(dir)
			if len(found) != 1 || found[0].Hello.PID != 7 || found[0].State.Selected != 1 {
				t.Fatalf("%+v", found)
			}
			v, err := found[0].Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			var kinds []string
			done := make(chan error, 1)
			heard := make(chan bool, 16)
			go func() {
				code, err := v.Follow(func(e any) {
					kinds = append(kinds, fmt.Sprintf("%T", e))
					heard <- true
				})
				if err == nil && code != 3 {
					err = fmt.Errorf("code %d", code)
				}
				done <- err
			}()
			<-heard
			<-heard
			log.Add(messages.RunNoted{Text: "later"})
			<-heard
			log.End(3)
			s.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if got := strings.Join(kinds, " "); got != "messages.RunStarted messages.TaskOutput messages.RunNoted" {
				t.Error(got)
			}
			if left, _ := dir.List("/"); len(left) > 0 {
				t.Errorf("%v is left", left)
			}
		})
	}
}

// Where the system has no short names for open folders, the socket lies below /tmp, and a file says where. A dead one goes with all that belongs to it.
func TestSocketElsewhere(t *testing.T) {
	dir := folder(t, 300)
	l, gone, err := bindElsewhere(dir, "/7-abc")
	if err != nil {
		t.Fatal(err)
	}
	c, dead, err := dial(dir, "7-abc.at")
	if err != nil || dead {
		t.Fatal(dead, err)
	}
	c.Close()
	home, err := fsysRead(dir, "/7-abc.at")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	sweep(dir)
	if left, _ := dir.List("/"); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	if _, err := os.Stat(home); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", home, err)
	}
	gone() // it is gone already
	if err := dir.Mkdir("/sub", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"/etc", "/tmp/haz-x/../../etc", ""} {
		if err := fsys.WriteFileAtomic(dir, "/8-abc.at", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if c, dead, err := dial(dir, "8-abc.at"); c != nil || !dead || err == nil {
			t.Errorf("%q: %v, %v, %v", text, c, dead, err)
		}
	}
}

func fsysRead(dir fsys.FS, name string) (string, error) {
	text, _, err := dir.ReadFile(name, 1000)
	return string(text), err
}

// A socket at which nobody listens is swept by the next run, and by who looks; one of a run that lives is not, nor is anything else.
func TestDeadSocketsAreSwept(t *testing.T) {
	dir := folder(t, 0)
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: dir.HostPath("/5-dead.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	if err := fsys.WriteFileAtomic(dir, "/notes.sock", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	one := listening(t, dir, 6, NewLog(), nil)
	if left := sockets(dir); len(left) != 1 || !strings.HasPrefix(left[0], "6-") {
		t.Errorf("%v", left)
	}
	two := listening(t, dir, 7, NewLog(), nil)
	if found := List(dir); len(found) != 2 || found[0].Hello.PID != 6 || found[1].Hello.PID != 7 {
		t.Errorf("%+v", found)
	}
	for _, s := range []*Server{one, two} {
		s.log.End(0)
		s.Close()
	}
	if left, _ := dir.List("/"); len(left) != 1 {
		t.Errorf("%v", left)
	}
	info, err := dir.Lstat("/notes.sock")
	if err != nil || info.Kind != fsys.File {
		t.Error("a file of others is gone")
	}
}

// A request is carried out once, and answered; one that nobody knows, and one that is none, are answered as well.
func TestRequests(t *testing.T) {
	dir, log := folder(t, 0), NewLog()
	var asked []Request
	s := listening(t, dir, 7, log, func(r Request) Answer {
		asked = append(asked, r)
		return Answer{Task: "p:a", Refused: "no", Hint: "why"}
	})
	defer func() {
		log.End(0)
		s.Close()
	}()
	ask := func(r Request) (Answer, error) {
		v, err := List(dir)[0].Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		return v.Ask(r)
	}
	for _, r := range []Request{{Do: Cancel, Task: "p:a"}, {Do: Restart, Task: "p:a"}, {Do: Rerun, Task: "p:a"}, {Do: Jobs, Jobs: 3}} {
		if a, err := ask(r); err != nil || a != (Answer{Task: "p:a", Refused: "no", Hint: "why"}) {
			t.Errorf("%+v, %v", a, err)
		}
		if got := asked[len(asked)-1]; got != r {
			t.Errorf("%+v, want %+v", got, r)
		}
	}
	if a, err := ask(Request{Do: "dance"}); err != nil || a.Refused != "this haz does not know the request dance" || len(asked) != 4 {
		t.Errorf("%+v, %v", a, err)
	}
	for _, text := range []string{"nonsense\n", strings.Repeat("x", maxRequest+10) + "\n", ""} {
		c, _, err := dial(dir, sockets(dir)[0])
		if err != nil {
			t.Fatal(err)
		}
		v, err := greet(c)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(text))
		_ = c.(*net.UnixConn).CloseWrite()
		var a Answer
		if err := v.in.read(&a); err != nil || a.Refused == "" {
			t.Errorf("%.20q: %+v, %v", text, a, err)
		}
		c.Close()
	}
}

// A run of another protocol is listed by what it says of itself, and not spoken to.
func TestAnotherProtocol(t *testing.T) {
	dir := folder(t, 0)
	s, err := Listen(dir, Hello{Haz: "9.0", Protocol: 99, PID: 7}, NewLog(), nil)
	if err != nil {
		t.Fatal(err)
	}
	found := List(dir)
	if len(found) != 1 || found[0].State != (State{}) {
		t.Fatalf("%+v", found)
	}
	var other *ProtocolError
	if _, err := found[0].Open(dir); !errors.As(err, &other) || !strings.Contains(err.Error(), "haz 9.0") || !strings.Contains(err.Error(), "protocol 99") {
		t.Errorf("%v", err)
	}
	s.log.End(0)
	s.Close()
}

// A visitor that does not read holds nobody up: the log goes on, and so does the end.
func TestStuckVisitor(t *testing.T) {
	dir, log := folder(t, 0), NewLog()
	log.Add(messages.RunStarted{Run: "r"})
	s := listening(t, dir, 7, log, nil)
	v, err := List(dir)[0].Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if _, err := v.Ask(Request{Do: Follow}); err != nil {
		t.Fatal(err)
	}
	for range 300 {
		log.Add(output("a", 64<<10))
	}
	log.End(0)
	s.Close() // a second
	log.mu.Lock()
	defer log.mu.Unlock()
	if log.bytes > keptOutput {
		t.Errorf("%d bytes are kept", log.bytes)
	}
}

// No more visitors than there is room for are let in.
func TestManyVisitors(t *testing.T) {
	dir := folder(t, 0)
	s := listening(t, dir, 7, NewLog(), nil)
	name := sockets(dir)[0]
	var in []net.Conn
	for range maxVisitors {
		c, _, err := dial(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := greet(c); err != nil {
			t.Fatal(err)
		}
		in = append(in, c)
	}
	c, _, err := dial(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := greet(c); err == nil {
		t.Errorf("%+v", v.hello)
	}
	c.Close()
	for _, c := range in {
		c.Close()
	}
	s.log.End(0)
	s.Close()
}

// A socket that is still being made does not listen yet: it is no dead one.
func TestSocketsThatAreBeingMade(t *testing.T) {
	dir := folder(t, 0)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dir.HostPath("/" + beingMade + "5-ab.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close() // as if it did not listen yet
	sweep(dir)
	if left, _ := dir.List("/"); len(left) != 1 {
		t.Errorf("%v", left)
	}
	old := time.Now().Add(-2 * abandoned) // whoever made it was killed
	if err := os.Chtimes(dir.HostPath("/"+beingMade+"5-ab.sock"), old, old); err != nil {
		t.Fatal(err)
	}
	sweep(dir)
	if left, _ := dir.List("/"); len(left) != 0 {
		t.Errorf("%v", left)
	}
}
