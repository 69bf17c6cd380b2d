package report

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

var update = flag.Bool("update", false, "rewrite golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got, -update rewrites it):\n%s", path, diff)
	}
}

// memSpool is a spool in memory that counts.
type memSpool struct {
	bytes.Reader
	all    []byte
	closed *int
}

func (m *memSpool) Write(p []byte) (int, error) { m.all = append(m.all, p...); return len(p), nil }
func (m *memSpool) Seek(o int64, w int) (int64, error) {
	m.Reader = *bytes.NewReader(m.all)
	return m.Reader.Seek(o, w)
}
func (m *memSpool) Close() error { *m.closed++; return nil }

// writes records every single write to a stream.
type writes struct {
	name string
	log  *[]string
	err  error
}

func (w writes) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	*w.log = append(*w.log, w.name+" "+string(p))
	return len(p), nil
}

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func id(s string) workspace.TaskID {
	p, t, _ := strings.Cut(s, ":")
	return workspace.TaskID{Project: p, Task: t}
}

func out(task, text string) messages.TaskOutput {
	return messages.TaskOutput{Task: id(task), Bytes: []byte(text)}
}

func errOut(task, text string) messages.TaskOutput {
	o := out(task, text)
	o.Stderr = true
	return o
}

func start(task string) messages.TaskStarted { return messages.TaskStarted{Task: id(task), At: t0} }

func fresh(task string, took time.Duration) messages.TaskFinished {
	return messages.TaskFinished{Outcome: messages.Outcome{Task: id(task), Status: messages.Completed, Source: messages.FromRun, Started: t0, Ended: t0.Add(took)}}
}

func hit(task string, took time.Duration) messages.TaskFinished {
	f := fresh(task, took)
	f.Outcome.Source = messages.FromCache
	return f
}

func failed(task string, code int) messages.TaskFinished {
	return messages.TaskFinished{Outcome: messages.Outcome{Task: id(task), Status: messages.Failed, ExitCode: code, Started: t0, Ended: t0.Add(22 * time.Millisecond)}}
}

func errored(task string, e messages.TaskError) messages.TaskFinished {
	f := failed(task, 0)
	f.Outcome.Error = &e
	return f
}

func never(task string, s messages.Status, c messages.Cause, root string) messages.TaskFinished {
	o := messages.Outcome{Task: id(task), Status: s, Cause: c}
	if root != "" {
		o.Root = id(root)
	}
	return messages.TaskFinished{Outcome: o}
}

// play prints events and returns what was written, write by write.
func play(o Options, exit int, events ...messages.Event) []string {
	var log []string
	o.Stdout.W, o.Stderr.W = writes{name: "out", log: &log}, writes{name: "err", log: &log}
	o.Now = func() time.Time { return t0 }
	p := New(o)
	for _, e := range events {
		p.Handle(e)
	}
	p.End(exit, 0)
	return log
}

// A line is written when its newline arrives, in one piece, with the frozen prefix; the last line gets its newline at the end.
func TestLiveLines(t *testing.T) {
	got := play(Options{}, 0,
		messages.RunStarted{Tasks: []workspace.TaskID{id("p:a"), id("p:b")}, At: t0},
		start("p:a"), start("p:b"),
		out("p:a", "one\ntw"), errOut("p:b", "\n"), out("p:a", "o\r\n\x1b[1mthree\xff"), out("p:b", "x"),
		fresh("p:a", 4*time.Millisecond), fresh("p:b", 7856*time.Millisecond),
		messages.RunFinished{Counts: messages.Counts{Selected: 2, Completed: 2}, At: t0.Add(8 * time.Second)})
	want := []string{
		"out [p:a] one\n",
		"err [p:b] \n",
		"out [p:a] two\r\n",
		"out [p:a] \x1b[1mthree\xff\n",
		"err [p:a] ✓ done in 4ms\n",
		"out [p:b] x\n",
		"err [p:b] ✓ done in 7.8s\n",
		"err \nTasks: 2 completed\n Time: 8.0s\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// With colour, escapes of a task cannot leak into the next line.
func TestColourReset(t *testing.T) {
	got := play(Options{Stdout: Stream{Palette: Palette{On: true}}}, 0, start("p:a"), out("p:a", "\x1b[31mred\nplain\n"))
	for i, want := range []string{"\x1b[31mred" + reset + "\n", "plain\n"} {
		if !strings.HasSuffix(got[i], want) {
			t.Errorf("line %d is %q, want the end %q", i, got[i], want)
		}
	}
	if plain := play(Options{}, 0, start("p:a"), out("p:a", "\x1b[31mred\n")); plain[0] != "out [p:a] \x1b[31mred\n" {
		t.Errorf("without colour %q", plain[0])
	}
}

// Buffered: nothing before the end, then all, verbatim and in the order in which lines were whole; haz's own line starts a line.
func TestBuffered(t *testing.T) {
	got := play(Options{Buffered: true}, 0, messages.RunStarted{Tasks: make([]workspace.TaskID, 1), At: t0},
		start("p:a"), errOut("p:a", "e1\ne2"), out("p:a", "o1"), hit("p:a", time.Millisecond))
	want := []string{"err e1\n", "out o1", "err e2", "err \n", "err [p:a] ◉ cached in 1ms\n", "err \nTasks: 1 completed (1 cached)\n Time: 0ms\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// On one terminal an open line of the other stream counts as well.
func TestBufferedOnTerminal(t *testing.T) {
	o := Options{Buffered: true, Stdout: Stream{Terminal: true}, Stderr: Stream{Terminal: true}}
	got := play(o, 0, start("p:a"), out("p:a", "o1"), hit("p:a", time.Millisecond))
	if diff := cmp.Diff([]string{"out o1", "err \n", "err [p:a] ◉ cached in 1ms\n"}, got); diff != "" {
		t.Error(diff)
	}
}

// Folded is what went well; what failed is in the open, with an annotation; a task that printed nothing has no group.
func TestGitHubGroups(t *testing.T) {
	got := play(Options{Buffered: true, GitHub: true}, 1,
		start("p:a"), out("p:a", "fine"), fresh("p:a", time.Millisecond),
		start("p:b"), out("p:b", "no newline"), failed("p:b", 7),
		start("p:c"), fresh("p:c", time.Millisecond),
		start("p:d"), errored("p:d", messages.TaskError{Kind: messages.ErrOutputMissing, Reason: "declared output 100% was\nnot produced"}))
	want := []string{
		"out ::group::p:a\n", "out fine", "out \n", "out ::endgroup::\n", "err [p:a] ✓ done in 1ms\n",
		"out no newline", "out \n", "out ::error::p:b failed (exit 7)\n", "err [p:b] ✗ failed in 22ms (exit 7)\n",
		"err [p:c] ✓ done in 1ms\n",
		"out ::error::p:d errored: declared output 100%25 was\n", "err [p:d] ✗ errored in 22ms (declared output 100% was)\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A workflow command of a tool means something only where its line begins with it; elsewhere it is a line as any other.
func TestGitHubCommandsOfTools(t *testing.T) {
	events := []messages.Event{start("p:a"), out("p:a", "::error file=a.c,line=3::bad\nplain\n"), errOut("p:a", "  ::warning::w\n"), out("p:a", "::group::mine\n")}
	want := []string{"out ::error file=a.c,line=3::bad\n", "out [p:a] plain\n", "err   ::warning::w\n", "out [p:a] ::group::mine\n"}
	if diff := cmp.Diff(want, play(Options{GitHub: true}, 0, events...)); diff != "" {
		t.Error(diff)
	}
	if got := play(Options{}, 0, events...)[0]; got != "out [p:a] ::error file=a.c,line=3::bad\n" {
		t.Errorf("elsewhere: %q", got)
	}
}

func TestIsCommand(t *testing.T) {
	for line, want := range map[string]bool{
		"::error::x": true, "::add-mask::secret": true, "\t::notice title=a b::": true, "::stop-commands::tok": true, "::tok_1::": true,
		"": false, "::": false, "::::": false, "::error": false, "x ::error::": false, ":: error::": false, "std::vector::x": false,
		"::group::a": false, "::endgroup::": false, "::EndGroup::": false, "::a.b::": false,
	} {
		if got := isCommand([]byte(line)); got != want {
			t.Errorf("isCommand(%q) = %v", line, got)
		}
	}
}

// So do the log commands of Azure Pipelines and the service messages of TeamCity, each only there.
func TestLogCommandsOfTools(t *testing.T) {
	lines := []string{"##vso[task.logissue type=error]bad", "\t##[warning]odd", "##[group]mine", "##[EndGroup]", "##[]", "##vso[", "##teamcity[message text='x']",
		"##teamcity[blockOpened name='x']", "##teamcity[", "::error::x", "# [1]", "--- mine", "section_start:1:a"}
	events := []messages.Event{start("p:a")}
	for _, line := range lines {
		events = append(events, out("p:a", line+"\n"))
	}
	for name, c := range map[string]struct {
		options Options
		bare    []int
	}{
		"Azure": {Options{Azure: true}, []int{0, 1}}, "TeamCity": {Options{TeamCity: true}, []int{6}}, "GitHub": {Options{GitHub: true}, []int{9}}, "elsewhere": {},
	} {
		var want []string
		for i, line := range lines {
			if !slices.Contains(c.bare, i) {
				line = "[p:a] " + line
			}
			want = append(want, "out "+line+"\n")
		}
		if diff := cmp.Diff(want, play(c.options, 0, events...)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Where both streams lead to one file, an open line of the one does not glue to what the other writes. Where they do not,
// a stream holds the task's bytes and nothing else until another task's block follows on it.
func TestBufferedOpenLines(t *testing.T) {
	events := []messages.Event{start("p:a"), out("p:a", "a"), errOut("p:a", "e"), fresh("p:a", time.Millisecond), start("p:b"), out("p:b", "b"), fresh("p:b", time.Millisecond)}
	one := []string{"out a", "err \n", "err e", "err \n", "err [p:a] ✓ done in 1ms\n", "out b", "err \n", "err [p:b] ✓ done in 1ms\n"}
	if diff := cmp.Diff(one, play(Options{Buffered: true, OnePlace: true}, 0, events...)); diff != "" {
		t.Error(diff)
	}
	two := []string{"out a", "err e", "err \n", "err [p:a] ✓ done in 1ms\n", "out \n", "out b", "err [p:b] ✓ done in 1ms\n"}
	if diff := cmp.Diff(two, play(Options{Buffered: true}, 0, events...)); diff != "" {
		t.Error(diff)
	}
}

// The end of a failed live run shows what each failed task printed last, unless nobody printed after it.
func TestTailsOfFailedTasks(t *testing.T) {
	var events []messages.Event
	events = append(events, messages.RunStarted{Tasks: make([]workspace.TaskID, 3), At: t0}, start("p:a"), start("p:b"), start("p:c"))
	for i := range 25 {
		events = append(events, out("p:a", fmt.Sprintf("line %d\n", i)))
	}
	events = append(events, errOut("p:a", "last, without newline"), failed("p:a", 1), out("p:c", "fine\n"), fresh("p:c", time.Millisecond), out("p:b", "in sight\n"), failed("p:b", 2))
	all := strings.Join(play(Options{}, 1, events...), "")
	_, end, _ := strings.Cut(all, "failed:\n")
	var want strings.Builder
	want.WriteString("  p:a   exit 1                                   haz run p:a\n    | (the last 20 of 26 lines)\n")
	for i := 6; i < 25; i++ {
		fmt.Fprintf(&want, "    | line %d\n", i)
	}
	want.WriteString("    | last, without newline\n  p:b   exit 2                                   haz run p:b\n\nTasks:")
	if got, _, _ := strings.Cut(end, " 1 completed"); got != want.String() {
		t.Error(cmp.Diff(want.String(), got))
	}
	quiet := strings.Join(play(Options{Verbosity: Quiet}, 1, events...), "")
	if strings.Contains(quiet, "| line") {
		t.Error("with -q only failures are printed, and their lines are repeated all the same")
	}
}

// A line of a tail is bounded, and escapes in it do not colour what follows.
func TestTailIsBounded(t *testing.T) {
	var l tail
	l.add(bytes.Repeat([]byte("x"), 1<<20))
	l.all(func(line []byte) {
		if len(line) > tailWidth+3 {
			t.Errorf("%d bytes", len(line))
		}
	})
	var b strings.Builder
	l = tail{}
	l.add([]byte("\x1b[31mred"))
	Look{Palette: Palette{On: true}}.tail(&b, &l)
	if !strings.HasSuffix(b.String(), "red"+reset+"\n") {
		t.Errorf("%q", b.String())
	}
}

// An interrupt names a few tasks that had not begun, and counts many; with -v all are named.
func TestCancelledBeforeTheyStarted(t *testing.T) {
	for n, want := range map[int]int{1: 1, fewUnstarted: fewUnstarted, fewUnstarted + 1: 0, 300: 0} {
		var events []messages.Event
		for i := range n {
			events = append(events, never(fmt.Sprintf("p:t%d", i), messages.Cancelled, messages.RunCancelled, ""))
		}
		all := strings.Join(play(Options{}, 130, events...), "")
		if got := strings.Count(all, "- cancelled (run cancelled)"); got != want {
			t.Errorf("%d tasks: %d are named", n, got)
		}
		if want == 0 && !strings.Contains(all, fmt.Sprintf("err haz: %d tasks cancelled before they started\n", n)) {
			t.Errorf("%d tasks: %q", n, all)
		}
		if got := strings.Count(strings.Join(play(Options{Verbosity: Verbose}, 130, events...), ""), "- cancelled"); got != n {
			t.Errorf("-v: %d of %d are named", got, n)
		}
	}
}

// new-only: what a hit printed when it ran is not shown again, its summary line is.
func TestNewOnly(t *testing.T) {
	again := out("p:a", "old\n")
	again.Replayed = true
	got := play(Options{NewOnly: true}, 0, start("p:a"), again, hit("p:a", time.Millisecond), start("p:b"), out("p:b", "new\n"), fresh("p:b", time.Millisecond))
	if diff := cmp.Diff([]string{"err [p:a] ◉ cached in 1ms\n", "out [p:b] new\n", "err [p:b] ✓ done in 1ms\n"}, got); diff != "" {
		t.Error(diff)
	}
}

// Quiet holds output back and shows that of what went wrong, in the form of the mode.
func TestQuiet(t *testing.T) {
	events := []messages.Event{messages.RunStarted{Tasks: make([]workspace.TaskID, 3), At: t0},
		start("p:a"), out("p:a", "ok\n"), fresh("p:a", time.Millisecond),
		messages.TaskNoted{Task: id("p:a"), Text: "result not stored: disk full", Hint: "make room"},
		start("p:b"), out("p:b", "bad\nend"), errOut("p:b", "why\n"), failed("p:b", 1)}
	got := play(Options{Verbosity: Quiet}, 1, events...)
	want := []string{
		"err [p:a] note: result not stored: disk full\n[p:a]   hint: make room\n",
		"out [p:b] bad\n", "err [p:b] why\n", "out [p:b] end\n", "err [p:b] ✗ failed in 22ms (exit 1)\n",
		"err failed:\n  p:b   exit 1                                   haz run p:b\n\nTasks: 1 completed, 1 failed\n Time: 0ms\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := play(Options{Verbosity: Quiet}, 0, events[:4]...); len(got) != 0 {
		t.Errorf("a quiet success prints %q", got)
	}
}

// What is held back keeps the order in which it came, as far as lines are whole: a reader sees after which line the tool complained.
func TestBlockKeepsOrder(t *testing.T) {
	events := []messages.Event{start("p:a"), out("p:a", "cc a.c\ncc b"), errOut("p:a", "a.c:3: bad\n"), out("p:a", ".c\n"), errOut("p:a", "b.c:1: "), out("p:a", "cc c.c\n"),
		errOut("p:a", "bad\n"), failed("p:a", 1)}
	for name, tc := range map[string]struct {
		o    Options
		want string
	}{
		"buffered": {Options{Buffered: true}, "cc a.c\n|a.c:3: bad\n|cc b.c\n|cc c.c\n|b.c:1: bad\n"},
		"quiet":    {Options{Verbosity: Quiet}, "[p:a] cc a.c\n|[p:a] a.c:3: bad\n|[p:a] cc b.c\n|[p:a] cc c.c\n|[p:a] b.c:1: bad\n"},
	} {
		var got strings.Builder
		for _, w := range play(tc.o, 1, events...) {
			_, text, _ := strings.Cut(w, " ")
			if strings.HasPrefix(text, "[p:a] ✗") {
				break
			}
			got.WriteString(text)
		}
		if want := strings.ReplaceAll(tc.want, "|", ""); got.String() != want {
			t.Errorf("%s: %q, want %q", name, got.String(), want)
		}
	}
}

// A line of any length comes back whole, and memory is bounded.
func TestBlockOfLongLines(t *testing.T) {
	b := &block{spool: func() (Spool, error) { return &memSpool{closed: new(int)}, nil }}
	var want [2]strings.Builder
	for i := range 300 {
		for s := range want {
			piece := strings.Repeat(string(rune('a'+i%26)), 1+i*7%1500)
			if i%100 == 99 {
				piece += "\n"
			}
			b.write(s, []byte(piece))
			want[s].WriteString(piece)
		}
		if len(b.rest[0]) > restMax || len(b.rest[1]) > restMax || len(b.mem) > blockMemory {
			t.Fatalf("%d and %d bytes wait, %d are in memory", len(b.rest[0]), len(b.rest[1]), len(b.mem))
		}
	}
	b.end()
	var got [2]strings.Builder
	b.read(func(s int, chunk []byte) { got[s].Write(chunk) })
	for s := range want {
		if got[s].String() != want[s].String() {
			t.Errorf("stream %d: %d bytes came back, %d were written", s, got[s].Len(), want[s].Len())
		}
	}
	if b.lost != 0 {
		t.Errorf("%d bytes are lost", b.lost)
	}
}

// What a task holds back beyond 64 KiB goes to a spool; without a place for it the rest is dropped and said, nothing else.
func TestSpool(t *testing.T) {
	big := strings.Repeat("0123456789abcde\n", 1<<14) // 256 KiB
	made, closed := 0, 0
	var spools []*memSpool
	o := Options{Buffered: true, Spool: func() (Spool, error) {
		made++
		s := &memSpool{closed: &closed}
		spools = append(spools, s)
		return s, nil
	}}
	got := play(o, 0, start("p:a"), out("p:a", big[:100]), out("p:a", big[100:]), errOut("p:a", "small"), fresh("p:a", 0))
	var text strings.Builder
	for _, w := range got {
		if s, ok := strings.CutPrefix(w, "out "); ok {
			text.WriteString(s)
		}
	}
	if text.String() != big {
		t.Errorf("%d bytes came back, want %d", text.Len(), len(big))
	}
	if made != 1 || closed != 1 || len(spools[0].all) != len(big)+len("small")+4*frameHeader-blockMemory {
		t.Errorf("%d spools made, %d closed, %d bytes in the first", made, closed, len(spools[0].all))
	}

	o.Spool = func() (Spool, error) { return nil, &os.PathError{Op: "open", Path: "/tmp/x", Err: syscall.ENOSPC} }
	got = play(o, 0, start("p:a"), out("p:a", big), out("p:a", "more"), fresh("p:a", 0))
	want := "err [p:a] note: 196617 bytes of output are not shown: no space left on device\n"
	if len(got) != 3 || len(got[0]) != blockMemory-frameHeader+4 || got[1] != want {
		t.Errorf("%d writes; second %q", len(got), got[1])
	}
}

func TestLongLineIsCut(t *testing.T) {
	for _, tc := range []struct {
		n    int
		want []int
	}{{maxLine - 1, []int{maxLine - 1}}, {maxLine, []int{maxLine}}, {maxLine + 1, []int{maxLine, 1}}, {2*maxLine + 5, []int{maxLine, maxLine, 5}}} {
		for _, step := range []int{7777, 1 << 16, 3 << 20} {
			for _, newline := range []string{"\n", ""} {
				var l lines
				var got []int
				emit := func(b []byte) { got = append(got, len(b)) }
				text := []byte(strings.Repeat("x", tc.n) + newline)
				for len(text) > 0 {
					n := min(step, len(text))
					l.feed(text[:n], emit)
					text = text[n:]
				}
				l.end(emit)
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%d bytes in steps of %d, newline %q: %s", tc.n, step, newline, diff)
				}
			}
		}
	}
}

// A reader that has gone stops the printing, silently; another trouble is told once. Neither stops the run.
func TestStreamsThatFail(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want []string
	}{
		{syscall.EPIPE, []string{"err [p:a] ✓ done in 0ms\n"}},
		{&os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}, []string{
			"err haz: standard output cannot be written any more: no space left on device; tasks go on\n", "err [p:a] ✓ done in 0ms\n"}},
	} {
		var log []string
		p := New(Options{Stdout: Stream{W: writes{err: tc.err}}, Stderr: Stream{W: writes{name: "err", log: &log}}})
		for _, e := range []messages.Event{start("p:a"), out("p:a", "1\n2\n"), out("p:a", "3\n"), fresh("p:a", 0)} {
			p.Handle(e)
		}
		p.End(0, 0)
		if diff := cmp.Diff(tc.want, log); diff != "" {
			t.Errorf("%v: %s", tc.err, diff)
		}
	}
	p := New(Options{Stdout: Stream{W: io.Discard}, Stderr: Stream{W: writes{err: errors.New("full")}}})
	p.Handle(fresh("p:a", 0))
	p.AtEnd("x\n")
	p.End(0, 0)
}

// A whole run in every shape, as golden files: read them as a user would.
func TestRunScreens(t *testing.T) {
	missing := messages.TaskError{Kind: messages.ErrOutputMissing, Reason: "declared output bin/app was not produced", Hint: "does the command write it?",
		Causes: []string{"lstat /app/bin/app: no such file or directory"}}
	killed := failed("lib:killed", -1)
	killed.Outcome.Signal = 9
	cancelled := never("z:ran", messages.Cancelled, messages.Signalled, "")
	cancelled.Outcome.Started, cancelled.Outcome.Ended = t0, t0.Add(3012*time.Millisecond)
	left := fresh("lib:build", 83*time.Second)
	left.Outcome.Leftovers = []messages.Leftover{{PID: 17, Command: "sleep 100"}}
	miss := start("lib:build")
	miss.Miss = &entry.Miss{Reason: entry.NoEntry, Detail: "input /lib/a.c changed"}
	bare := start("p:fail")
	bare.Miss = &entry.Miss{Reason: entry.NoEntry}
	events := []messages.Event{
		messages.RunStarted{Run: "7f3a", Tasks: make([]workspace.TaskID, 12), At: t0},
		miss, out("lib:build", "cc -c a.c\n"), left,
		start("lib:gen"), out("lib:gen", "from the cache\n"), hit("lib:gen", 900*time.Microsecond),
		bare, errOut("p:fail", "boom\n"), failed("p:fail", 7),
		start("app:build"), errored("app:build", missing), killed,
		messages.TaskNoted{Task: id("lib:build"), Text: "result not stored: /lib/a.c changed while the task ran"},
		never("p:s1", messages.Skipped, messages.UpstreamDidFail, "p:fail"),
		never("p:s2", messages.Skipped, messages.UpstreamDidErr, "app:build"),
		never("p:s3", messages.Skipped, messages.RunStopped, "p:fail"),
		never("p:s4", messages.Skipped, messages.RuntimeCycle, "p:fail"),
		messages.RunCancelling{Signal: "SIGINT", Running: 3, Grace: 5 * time.Second},
		messages.RunCancelling{Signal: "SIGINT", Running: 1, Force: true},
		cancelled,
		never("z:up", messages.Cancelled, messages.UpstreamWasCancelled, "z:ran"),
		never("z:new", messages.Cancelled, messages.RunCancelled, ""),
		messages.RunNoted{Text: "the cache is larger than cache.clean.max_size (5GiB)", Hint: "haz cache clean"},
		messages.ViolationFound{Violation: messages.Violation{Kind: messages.OutputOverlap, Path: "/p/g/x.txt", Tasks: []workspace.TaskID{id("p:o1"), id("p:o2")}}},
		messages.ViolationFound{Violation: messages.Violation{Kind: messages.RuntimeCycleViolation, Path: "/p/out/x.txt", Tasks: []workspace.TaskID{id("p:a"), id("p:b")},
			From: id("p:b"), To: id("p:a"), Pattern: "out/*.txt", Glob: true}},
		messages.RunFinished{Counts: messages.Counts{Selected: 12, Completed: 2, Cached: 1, Failed: 3, Skipped: 4, Cancelled: 3}, At: t0.Add(84 * time.Minute)},
	}
	for name, o := range map[string]Options{
		"normal.txt": {}, "quiet.txt": {Verbosity: Quiet}, "verbose.txt": {Verbosity: Verbose}, "buffered.txt": {Buffered: true}, "ascii.txt": {ASCII: true},
		"colour.txt": {Stdout: Stream{Palette: Palette{On: true, TrueColor: true}}, Stderr: Stream{Palette: Palette{On: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for _, w := range play(o, 130, events...) {
				stream, text, _ := strings.Cut(w, " ")
				for _, line := range strings.SplitAfter(text, "\n") {
					if line != "" {
						b.WriteString(stream + "| " + strings.ReplaceAll(line, "\x1b", "␛"))
					}
				}
			}
			golden(t, name, b.String())
		})
	}
}

// slow is a terminal that a test can stop.
type slow struct {
	mu   sync.Mutex
	text strings.Builder
	stop chan struct{} // not nil: writes wait for it
	once sync.Once
	came chan struct{} // closed when the first write waits
}

func (w *slow) Write(p []byte) (int, error) {
	if w.stop != nil {
		w.once.Do(func() { close(w.came) })
		<-w.stop
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *slow) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// The progress line is drawn, taken away before every other write, and gone at the end.
func TestProgress(t *testing.T) {
	defer goleak.VerifyNone(t)
	w := &slow{}
	p := New(Options{Stdout: Stream{W: w, Terminal: true}, Stderr: Stream{W: w, Terminal: true}, Now: func() time.Time { return t0.Add(3 * time.Second) },
		Progress: &Progress{Width: func() int { return 60 }}})
	p.Handle(messages.RunStarted{Tasks: make([]workspace.TaskID, 2), At: t0})
	p.Handle(start("p:a"))
	const line = "\r\x1b[2K0/2 · 1 running: p:a 3s · 0:03"
	for w.String() != line {
		time.Sleep(time.Millisecond)
	}
	p.Handle(out("p:a", "text\n"))
	p.Handle(fresh("p:a", time.Second))
	p.AtEnd("bye\n")
	p.End(0, 0)
	rest := strings.TrimPrefix(w.String(), line)
	if !strings.HasPrefix(rest, "\r\x1b[2K[p:a] text\n") || !strings.HasSuffix(rest, "\n Time: 3.0s\nbye\n") {
		t.Errorf("%q", rest)
	}
	if at := strings.LastIndex(rest, "running"); at >= 0 && !strings.Contains(rest[at:], "\r\x1b[2K") {
		t.Errorf("the progress line stays: %q", rest)
	}
}

// A terminal that does not take anything must not keep an interrupted program alive.
func TestEndGivesUp(t *testing.T) {
	w := &slow{stop: make(chan struct{}), came: make(chan struct{})}
	p := New(Options{Stdout: Stream{W: w}, Stderr: Stream{W: w}, Progress: &Progress{Width: func() int { return 60 }}})
	stuck := make(chan struct{})
	go func() {
		defer close(stuck)
		p.Handle(messages.RunStarted{Tasks: make([]workspace.TaskID, 1), At: t0})
		p.Handle(out("p:a", "text\n"))
	}()
	<-w.came
	if p.End(130, 50*time.Millisecond) {
		t.Error("End says that all was written")
	}
	close(w.stop)
	<-stuck
}

// What is done to single tasks by request stands where it happened: between the output of two processes, and in the line of the end.
func TestRequests(t *testing.T) {
	ran := never("p:b", messages.Cancelled, messages.Requested, "")
	ran.Outcome.Spawned, ran.Outcome.Started, ran.Outcome.Ended = 1, t0, t0.Add(time.Second)
	events := []messages.Event{start("p:a"), out("p:a", "half\nha"), messages.TaskRestarted{Task: id("p:a")}, out("p:a", "whole\n"), fresh("p:a", time.Millisecond),
		start("p:b"), ran, never("p:c", messages.Cancelled, messages.Requested, "")}
	ends := []string{"err [p:b] ! cancelled in 1.0s (by request)\n", "err [p:c] - cancelled (by request)\n"}
	live := append([]string{"out [p:a] half\n", "out [p:a] ha\n", "err [p:a] ! stopped (by request); again\n", "out [p:a] whole\n", "err [p:a] ✓ done in 1ms\n"}, ends...)
	if diff := cmp.Diff(live, play(Options{}, 0, events...)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(ends, play(Options{Verbosity: Quiet}, 0, events...)); diff != "" {
		t.Error(diff)
	}
	if all := strings.Join(play(Options{Buffered: true}, 0, events...), ""); !strings.Contains(all, "[p:a] ! stopped (by request); again\n") {
		t.Errorf("%q", all)
	}
}
