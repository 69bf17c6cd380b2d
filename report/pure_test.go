package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

func TestDuration(t *testing.T) {
	for _, tc := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0ms"}, {-5, "0ms"}, {1, "1ms"}, {999 * time.Microsecond, "1ms"}, {176 * time.Millisecond, "176ms"},
		{999*time.Millisecond + 999*time.Microsecond, "999ms"}, {time.Second, "1.0s"}, {1699 * time.Millisecond, "1.6s"}, {7856 * time.Millisecond, "7.8s"},
		{time.Minute - 1, "59.9s"}, {83 * time.Second, "1m 23s"}, {time.Hour - 1, "59m 59s"}, {83 * time.Minute, "1h 23m"}, {100 * time.Hour, "100h 0m"},
	} {
		if got := Duration(tc.d); got != tc.want {
			t.Errorf("Duration(%v) = %q, want %q", tc.d, got, tc.want)
		}
	}
}

func TestAgoAndGrace(t *testing.T) {
	for d, want := range map[time.Duration]string{-1: "0 s", 59 * time.Second: "59 s", 5 * time.Minute: "5 min", 2 * time.Hour: "2 h", 47 * time.Hour: "47 h", 72 * time.Hour: "3 d"} {
		if got := Ago(d); got != want {
			t.Errorf("Ago(%v) = %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{5 * time.Second: "5s", 2500 * time.Millisecond: "2.5s", 0: "0s"} {
		if got := Grace(d); got != want {
			t.Errorf("Grace(%v) = %q, want %q", d, got, want)
		}
	}
}

// The first rule that applies decides, for each stream alone (10.4).
func TestColourDecision(t *testing.T) {
	for _, tc := range []struct {
		name     string
		choice   ColorChoice
		env      string
		terminal bool
		want     bool
	}{
		{"a terminal", ColorAuto, "", true, true},
		{"no terminal", ColorAuto, "", false, false},
		{"--color=always wins over NO_COLOR", ColorAlways, "NO_COLOR=1 TERM=dumb", false, true},
		{"--color=never wins over force", ColorNever, "FORCE_COLOR=1", true, false},
		{"NO_COLOR wins over force", ColorAuto, "NO_COLOR=x FORCE_COLOR=1", true, false},
		{"empty NO_COLOR is nothing", ColorAuto, "NO_COLOR=", true, true},
		{"CLICOLOR_FORCE", ColorAuto, "CLICOLOR_FORCE=1 TERM=dumb", false, true},
		{"CLICOLOR_FORCE=0", ColorAuto, "CLICOLOR_FORCE=0", false, false},
		{"FORCE_COLOR", ColorAuto, "FORCE_COLOR=3", false, true},
		{"a dumb terminal", ColorAuto, "TERM=dumb", true, false},
		{"CLICOLOR=0", ColorAuto, "CLICOLOR=0", true, false},
		{"CLICOLOR=1 alone forces nothing", ColorAuto, "CLICOLOR=1", false, false},
	} {
		if got := DecidePalette(tc.choice, lookup(tc.env), tc.terminal).On; got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
	for env, want := range map[string]bool{"COLORTERM=truecolor": true, "COLORTERM=24bit": true, "COLORTERM=yes": false, "": false} {
		if got := DecidePalette(ColorAuto, lookup(env), true).TrueColor; got != want {
			t.Errorf("%q: true colour is %v", env, got)
		}
	}
}

func lookup(env string) func(string) string {
	return func(name string) string {
		for _, kv := range strings.Fields(env) {
			if k, v, _ := strings.Cut(kv, "="); k == name {
				return v
			}
		}
		return ""
	}
}

func TestLocale(t *testing.T) {
	for env, want := range map[string]bool{
		"": true, "LANG=en_US.UTF-8": true, "LANG=C": false, "LANG=C.UTF-8": true, "LC_ALL=C LANG=en_US.UTF-8": false,
		"LC_CTYPE=de_DE.utf8 LANG=C": true, "LC_ALL= LANG=POSIX": false, "LANG=de_DE.ISO-8859-1": false,
	} {
		if got := SpeaksUTF8(lookup(env)); got != want {
			t.Errorf("%q: %v", env, got)
		}
	}
}

// The hue is FNV-1a of the name: the vector is that of the hash's authors.
func TestTaskColour(t *testing.T) {
	for h, want := range map[float64][3]uint8{0: {226, 90, 90}, 120: {90, 226, 90}, 240: {90, 90, 226}, 60: {226, 226, 90}, 180: {90, 226, 226}, 300: {226, 90, 226}} {
		if r, g, b := hsl(h, 0.70, 0.62); [3]uint8{r, g, b} != want {
			t.Errorf("hsl(%v) = %d %d %d, want %v", h, r, g, b, want)
		}
	}
	for rgb, want := range map[[3]uint8]int{{0, 0, 0}: 16, {255, 255, 255}: 231, {255, 0, 0}: 196, {95, 135, 175}: 67, {128, 128, 128}: 244, {8, 8, 8}: 232} {
		if got := nearest256(rgb[0], rgb[1], rgb[2]); got != want {
			t.Errorf("nearest256(%v) = %d, want %d", rgb, got, want)
		}
	}
	a := Palette{On: true, TrueColor: true}.Prefix(workspace.TaskID{Project: "lib", Task: "build"})
	if !strings.HasPrefix(a, "\x1b[1;38;2;") || !strings.HasSuffix(a, "m[lib:build]\x1b[0m ") {
		t.Errorf("prefix %q", a)
	}
}

// Without colour the bytes are the same minus escapes.
func TestColourOnlyAddsEscapes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := messages.Outcome{Task: workspace.TaskID{Project: "p", Task: rapid.StringMatching(`[a-z]{1,9}`).Draw(t, "task")},
			Status: messages.Status(rapid.IntRange(1, 4).Draw(t, "status")), Cause: messages.Cause(rapid.IntRange(0, 7).Draw(t, "cause")),
			Source: messages.Source(rapid.IntRange(0, 2).Draw(t, "source")), ExitCode: rapid.IntRange(-1, 255).Draw(t, "code")}
		if rapid.Bool().Draw(t, "errored") {
			o.Error = &messages.TaskError{Reason: rapid.String().Draw(t, "reason"), Causes: []string{rapid.String().Draw(t, "cause text")}, Hint: rapid.String().Draw(t, "hint")}
		}
		render := func(p Palette) string {
			l := Look{Glyphs: GlyphSet(false), Palette: p}
			return l.Finished(o) + l.Epilogue(Epilogue{Failed: []messages.Outcome{o}, Counts: messages.Counts{Completed: 1, Failed: 2, Skipped: 3, Cancelled: 4}})
		}
		plain, coloured := render(Palette{}), render(Palette{On: true, TrueColor: rapid.Bool().Draw(t, "true colour")})
		if strip(coloured) != plain {
			t.Fatalf("coloured %q\nplain    %q", coloured, plain)
		}
		if n := strings.Count(plain, "\x1b"); n != 0 {
			t.Fatalf("plain text holds %d escapes: %q", n, plain)
		}
	})
}

func strip(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "\x1b[")
		if i < 0 {
			return b.String() + s
		}
		b.WriteString(s[:i])
		s = s[i:]
		s = s[strings.IndexByte(s, 'm')+1:]
	}
}

func TestProgressLine(t *testing.T) {
	s := progressState{Ended: 12, Selected: 40, Failed: 1, Elapsed: 7 * time.Second, Running: []running{
		{id("tool:x"), t0.Add(5 * time.Second)}, {id("app:test"), t0.Add(5 * time.Second)}, {id("lib:build"), t0.Add(3 * time.Second)}}}
	now := t0.Add(7 * time.Second)
	l := Look{Glyphs: GlyphSet(false)}
	for width, want := range map[int]string{
		0:   "12/40 · 3 running: lib:build 4s, app:test 2s, tool:x 2s · 1 failed · 0:07",
		66:  "12/40 · 3 running: lib:build 4s, ... · 1 failed · 0:07",
		70:  "12/40 · 3 running: lib:build 4s, app:test 2s, ... · 1 failed · 0:07",
		40:  "12/40 · 3 running · 1 failed · 0:07",
		10:  "12/40 · 3",
		1:   "",
		200: "12/40 · 3 running: lib:build 4s, app:test 2s, tool:x 2s · 1 failed · 0:07",
	} {
		if got := layOut(l, s, now, width); got != want {
			t.Errorf("width %d: %q, want %q", width, got, want)
		}
	}
	if got := layOut(Look{Glyphs: GlyphSet(true)}, progressState{Selected: 1, Elapsed: 3723 * time.Second}, now, 80); got != "0/1 . 0 running . 1:02:03" {
		t.Errorf("ASCII: %q", got)
	}
}

// The progress line in windows of every width, as a golden file: read it as a user would. No width wraps.
func TestProgressScreens(t *testing.T) {
	now := t0.Add(75 * time.Second)
	few := progressState{Ended: 12, Selected: 40, Failed: 1, Elapsed: 75 * time.Second, Running: []running{
		{id("tool:x"), t0.Add(5 * time.Second)}, {id("application:integration-test"), t0.Add(5 * time.Second)}, {id("lib:build"), t0.Add(3 * time.Second)}}}
	many := progressState{Ended: 0, Selected: 100_000, Elapsed: 4000 * time.Second}
	for i := range 500 {
		many.Running = append(many.Running, running{id(fmt.Sprintf("p%03d:build", i)), t0})
	}
	var b strings.Builder
	for _, ascii := range []bool{false, true} {
		for _, width := range []int{12, 20, 40, 60, 80, 120} {
			fmt.Fprintf(&b, "%d columns:\n", width)
			for _, s := range []progressState{{Selected: 1}, few, many} {
				line := layOut(Look{Glyphs: GlyphSet(ascii)}, s, now, width)
				if n := utf8.RuneCountInString(line); n >= width {
					t.Errorf("%d columns in %d: %q", n, width, line)
				}
				b.WriteString("  " + line + "\n")
			}
		}
	}
	golden(t, "progress.txt", b.String())
}

// What haz draws is readable on a dark background and on a light one: it sets no background, none of the colours that are
// one (black, white, grey), and text itself is drawn in the terminal's own colour; colour marks words that say the same
// without it.
func TestColoursOnAnyBackground(t *testing.T) {
	text, err := os.ReadFile("testdata/colour.txt")
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{"0": true, "1": true, "2": true, "31": true, "32": true, "33": true, "36": true}
	codes := regexp.MustCompile(`␛\[([0-9;]*)m`).FindAllStringSubmatch(string(text), -1)
	if len(codes) < 50 {
		t.Fatalf("only %d escapes", len(codes))
	}
	for _, c := range codes {
		if !allowed[c[1]] && !strings.HasPrefix(c[1], "1;38;") {
			t.Errorf("escape %q", c[1])
		}
	}
	// The colours of tasks are those of chapter 3: on black, each has the contrast that bold text needs (3), and none is
	// as light as a white background (1.25) or grey.
	for hue := range 360 {
		r, g, b := hsl(float64(hue), 0.70, 0.62)
		light := luminance(r, g, b)
		if onBlack, onWhite := (light+0.05)/0.05, 1.05/(light+0.05); onBlack < 3 || onWhite < 1.25 {
			t.Errorf("hue %d: contrast %.1f on black, %.2f on white", hue, onBlack, onWhite)
		}
	}
}

// luminance is the relative luminance of WCAG 2.
func luminance(r, g, b uint8) float64 {
	part := func(c uint8) float64 {
		if x := float64(c) / 255; x > 0.04045 {
			return math.Pow((x+0.055)/1.055, 2.4)
		}
		return float64(c) / 255 / 12.92
	}
	return 0.2126*part(r) + 0.7152*part(g) + 0.0722*part(b)
}

func TestRecord(t *testing.T) {
	miss := &entry.Miss{Reason: entry.NoEntry}
	killed := failed("p:killed", -1).Outcome
	killed.Signal = 9
	late := failed("p:late", -1).Outcome
	late.TimedOut = 90 * time.Second
	flaky := fresh("p:flaky", 0).Outcome
	flaky.MadeOn, flaky.Failures = 3, []messages.Attempt{{ExitCode: 75, Took: 1500 * time.Microsecond}, {ExitCode: -1, Signal: 9}}
	ok := fresh("p:ok", 5*time.Millisecond).Outcome
	ok.HasKey, ok.Miss, ok.Outputs = true, miss, []entry.Output{{Path: "/p/out/a<b>"}}
	r := NewRecord(RecordInput{Haz: "1.2.3", Run: "7f3a", Workspace: "/ws", Args: []string{"run", "--all"}, Started: t0, Ended: t0.Add(1500 * time.Millisecond),
		ExitCode: 130, Signal: "SIGINT", Counts: messages.Counts{Selected: 8, Completed: 3, Cached: 1, Failed: 3, Skipped: 1, Cancelled: 1, Flaky: 1},
		Outcomes: []messages.Outcome{ok, hit("p:hit", 0).Outcome, failed("p:bad", 3).Outcome, killed, late, flaky,
			errored("p:err", messages.TaskError{Kind: messages.ErrSpawn, Reason: "cc: program not found"}).Outcome,
			never("p:skip", messages.Skipped, messages.UpstreamDidFail, "p:bad").Outcome, never("p:stop", messages.Cancelled, messages.RunCancelled, "").Outcome},
		Violations: []messages.Violation{{Kind: messages.OutputOverlap, Tasks: []workspace.TaskID{id("p:a"), id("p:b")}, Path: "/p/x"}, {Kind: messages.RuntimeCycleViolation}}})
	golden(t, "record.json", string(r.Encode("  ")))

	back, err := decodeRecord(r.Encode(""))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Error(diff)
	}
	var names []string
	for _, spelled := range []string{"", "  "} {
		ids, err := ReadUnfinished(bytes.NewReader(r.Encode(spelled)))
		if err != nil {
			t.Fatal(err)
		}
		names = names[:0]
		for _, id := range ids {
			names = append(names, id.String())
		}
	}
	if got := strings.Join(names, " "); got != "p:bad p:killed p:late p:err p:skip p:stop" {
		t.Errorf("unfinished: %s", got)
	}
	for _, bad := range []string{"", "{}", `{"version":2}`, "[]"} {
		if _, err := decodeRecord([]byte(bad)); err == nil {
			t.Errorf("%q was decoded", bad)
		}
		if _, err := ReadUnfinished(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	empty := string(NewRecord(RecordInput{}).Encode("  "))
	if strings.Contains(empty, `"args": null`) || strings.Contains(empty, `"tasks": null`) || strings.Contains(empty, `"violations": null`) {
		t.Errorf("lists must be lists: %s", empty)
	}
}

// decodeRecord reads what Encode wrote. Unknown fields are left aside, another version is an error.
func decodeRecord(b []byte) (*Record, error) {
	var r Record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, err
	}
	if r.Version != 1 {
		return nil, fmt.Errorf("run summary has version %d, not 1", r.Version)
	}
	return &r, nil
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte(`{"version":1,"tasks":[{"project":"p","task":"t","outcome":"failed"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := decodeRecord(b); err == nil {
			if again, err := decodeRecord(r.Encode("")); err != nil || len(again.Tasks) != len(r.Tasks) {
				t.Fatalf("%v: %q", err, b)
			}
			var want []workspace.TaskID
			for _, task := range r.Tasks {
				if task.Outcome != "succeeded" {
					want = append(want, workspace.TaskID{Project: task.Project, Task: task.Task})
				}
			}
			got, err := ReadUnfinished(bytes.NewReader(r.Encode("")))
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("%v, %v, want %v: %q", got, err, want, b)
			}
		}
		_, _ = ReadUnfinished(bytes.NewReader(b))
	})
}
