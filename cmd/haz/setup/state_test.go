package setup

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/haz-build/haz/report"
	"github.com/haz-build/haz/workspace/config"
)

// The tree of these tests: what listing each directory gives.
var disk = map[string]folder{
	"/":            {children: []child{{name: ".git"}, {name: "app"}, {name: "build", ignored: true}, {name: "libs"}, {name: "odd*"}}},
	"/app":         {},
	"/build":       {children: []child{{name: "out"}}},
	"/libs":        {children: []child{{name: "a"}, {name: "b"}}},
	"/libs/a":      {children: []child{{name: "deep"}}},
	"/libs/b":      {children: []child{{name: ".cache"}}},
	"/libs/a/deep": {trouble: "permission denied"},
	"/odd*":        {},
	"/.git":        {},
	"/build/out":   {},
}

// typed presses keys, answering what the model asks for, and returns the last effect of each key.
func typed(s state, keys string) (state, effect) {
	var f effect
	for _, key := range strings.Fields(keys) {
		s, f = s.step(event{key: key})
		for f.read != "" {
			s, f = s.step(event{key: f.key, read: f.read, dir: disk[f.read]})
		}
		if f.prepare {
			e := event{}
			draft, err := draftOf(s, func(root string) bool { return root == "/libs/b" })
			if e.drafted = draft; err != nil {
				e = event{problem: err.Error()}
			}
			s, f = s.step(e)
		}
	}
	return s, f
}

func shown(s state) string {
	look := drawing{dir: "/home/me/ws", width: 80, height: 30, ascii: true}
	lines := strings.Split(look.screen(s), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines[3:len(lines)-3], "\n")
}

// Every rule of the tree screen: keys, then the rows, the status, the bell (AUX-003, AUX-004).
func TestInitTree(t *testing.T) {
	for _, tc := range []struct{ name, keys, rows, status string }{
		{"the root is open", "", "> - [ ] /\n    + [ ] app\n    + [ ] libs\n    + [ ] odd*", ""},
		{"down, and around the button", "down down down down down", "> - [ ] /\n    + [ ] app\n    + [ ] libs\n    + [ ] odd*", ""},
		{"up goes to the button", "up", "  - [ ] /\n    + [ ] app\n    + [ ] libs\n    + [ ] odd*", ""},
		{"project", "down space", "  - [ ] /\n>   + [x] app (project)\n    + [ ] libs\n    + [ ] odd*", ""},
		{"no parent without subdirectories, so none", "down space space", "  - [ ] /\n>     [ ] app\n    + [ ] libs\n    + [ ] odd*", "/app has no subdirectories, so it cannot be a projects parent"},
		{"parent", "down down space space", "  - [ ] /\n    + [ ] app\n>   + [*] libs (projects parent)\n    + [ ] odd*", ""},
		{"the cycle ends", "down down space space space", "  - [ ] /\n    + [ ] app\n>   + [ ] libs\n    + [ ] odd*", ""},
		{"the root is never a project", "space", "> - [*] / (projects parent)\n    + [ ] app\n    + [ ] libs\n    + [ ] odd*", ""},
		{"the cycle of the root", "space space", "> - [ ] /\n    + [ ] app\n    + [ ] libs\n    + [ ] odd*", ""},
		{"below a parent all is locked", "space down space", "  - [*] / (projects parent)\n>   + [ ] app\n    + [ ] libs\n    + [ ] odd*", "a directory above is a projects parent, which decides about this one"},
		{"a parent clears what is below, for good", "down down right down space up space space space", "  - [ ] /\n    + [ ] app\n>   - [ ] libs\n      + [ ] a\n      + [ ] b\n    + [ ] odd*", ""},
		{"deep rows are locked, too", "space down down right down right space", "  - [*] / (projects parent)\n    + [ ] app\n    - [ ] libs\n>     - [ ] a\n        + [ ] deep\n      + [ ] b\n    + [ ] odd*", "a directory above is a projects parent, which decides about this one"},
		{"nothing to open", "down right", "  - [ ] /\n>     [ ] app\n    + [ ] libs\n    + [ ] odd*", "/app has no subdirectories"},
		{"cannot be read", "down down right down right down right", "  - [ ] /\n    + [ ] app\n    - [ ] libs\n      - [ ] a\n>         [ ] deep\n      + [ ] b\n    + [ ] odd*", "/libs/a/deep cannot be read: permission denied"},
		{"only hidden ones", "down down right down down right", "  - [ ] /\n    + [ ] app\n    - [ ] libs\n      + [ ] a\n>     + [ ] b\n    + [ ] odd*", "/libs/b has hidden subdirectories only; h shows them"},
		{"a parent needs some that are not hidden", "down down right down down space space", "  - [ ] /\n    + [ ] app\n    - [ ] libs\n      + [ ] a\n>     + [ ] b\n    + [ ] odd*", "/libs/b has hidden subdirectories only, so it cannot be a projects parent"},
		{"hidden rows", "h", "> - [ ] /\n    + [ ] .git\n    + [ ] app\n    + [ ] build (git-ignored)\n    + [ ] libs\n    + [ ] odd*", ""},
		{"below an ignored row all is ignored", "h down down down right", "  - [ ] /\n    + [ ] .git\n    + [ ] app\n>   - [ ] build (git-ignored)\n      + [ ] out (git-ignored)\n    + [ ] libs\n    + [ ] odd*", ""},
		{"the cursor leaves a row that is hidden", "h down down down right down h", "> - [ ] /\n    + [ ] app\n    + [ ] libs\n    + [ ] odd*", ""},
		{"state and fold survive hiding", "h down down down space right h H", "> - [ ] /\n    + [ ] .git\n    + [ ] app\n    - [x] build (git-ignored) (project)\n      + [ ] out (git-ignored)\n    + [ ] libs\n    + [ ] odd*", ""},
		{"closing", "left", "> + [ ] /", ""},
		{"the status goes with the next key", "down right up", "> - [ ] /\n      [ ] app\n    + [ ] libs\n    + [ ] odd*", ""},
		{"help closes on any key, which does nothing else", "? q", "> - [ ] /\n    + [ ] app\n    + [ ] libs\n    + [ ] odd*", ""},
		{"space, left and right on the button do nothing", "up space left right", "  - [ ] /\n    + [ ] app\n    + [ ] libs\n    + [ ] odd*", ""},
	} {
		t.Run(strings.ReplaceAll(tc.name, " ", "_"), func(t *testing.T) {
			s, f := typed(newState(disk["/"]), tc.keys)
			if diff := cmp.Diff(tc.rows, shown(s)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if s.status != tc.status || f.bell != (tc.status != "") || f.leave {
				t.Errorf("status %q, effect %+v, want status %q", s.status, f, tc.status)
			}
		})
	}
}

// Each way out, from each screen: the code, and whether anything is written (AUX-008).
func TestInitWaysOut(t *testing.T) {
	for keys, want := range map[string]struct {
		code  int
		write bool
	}{
		"q": {}, "esc": {}, "ctrl+c": {code: 130}, "? ctrl+c": {code: 130}, "enter ctrl+c": {code: 130}, "enter ? ctrl+c": {code: 130},
		"enter n": {}, "enter q": {}, "enter esc": {}, "enter y": {write: true}, "up enter y": {write: true}, "enter b q": {}, "enter b enter y": {write: true},
	} {
		_, f := typed(newState(disk["/"]), keys)
		if !f.leave || f.code != want.code || (f.write != nil) != want.write {
			t.Errorf("%s: %+v, want %+v", keys, f, want)
		}
	}
	s, f := typed(newState(disk["/"]), "down space enter x enter space")
	if f.leave || s.draft == nil {
		t.Errorf("other keys leave the confirmation: %+v", f)
	}
	if s, _ = typed(s, "b"); s.draft != nil || s.marks["/app"] != markProject || s.cursor != "/app" {
		t.Errorf("b does not go back to the tree as it was: %+v", s)
	}
}

// A step changes no state that somebody else holds.
func TestInitStepIsPure(t *testing.T) {
	s, _ := typed(newState(disk["/"]), "down down space")
	before := shown(s)
	for _, keys := range []string{"space", "right down space", "up up left", "h down", "up up space"} {
		typed(s, keys)
		if diff := cmp.Diff(before, shown(s)); diff != "" {
			t.Errorf("%s changed an older state:\n%s", keys, diff)
		}
	}
}

// Plans (AUX-005): what is written for a selection, and what is refused, with the selection intact.
func TestInitPlan(t *testing.T) {
	for _, tc := range []struct{ name, keys, workspace, create, existing, spelled, problem string }{
		{name: "nothing", keys: "enter", workspace: "projects: []\n"},
		{name: "a project", keys: "down space enter", workspace: "projects:\n  - /app\n", create: "/app: name: app"},
		{name: "a parent", keys: "down down space space enter", workspace: "projects:\n  - /libs/*\n", create: "/libs/a: name: a", existing: "/libs/b"},
		{name: "sorted", keys: "down down space up space enter", workspace: "projects:\n  - /app\n  - /libs\n", create: "/app: name: app /libs: name: libs"},
		{name: "a pattern character", keys: "down down down space enter", problem: `"/odd*" holds characters that mean something in patterns`},
		{name: "in a child of a parent", keys: "space enter", problem: `"/odd*" holds characters that mean something in patterns`},
	} {
		t.Run(strings.ReplaceAll(tc.name, " ", "_"), func(t *testing.T) {
			s, f := typed(newState(disk["/"]), tc.keys)
			if tc.problem != "" {
				if s.draft != nil || s.status != tc.problem || !f.bell || len(s.marks) == 0 {
					t.Fatalf("status %q, plan %v, marks %v", s.status, s.draft, s.marks)
				}
				return
			}
			if s.draft == nil {
				t.Fatalf("no plan: %s", s.status)
			}
			var create []string
			for _, f := range s.draft.Create {
				name, _, _ := strings.Cut(string(f.Data), "\n")
				create = append(create, f.Root+": "+name)
			}
			got := []string{string(s.draft.Workspace), strings.Join(create, " "), strings.Join(s.draft.existing, " "), strings.Join(s.draft.spelled, " ")}
			if diff := cmp.Diff([]string{tc.workspace, tc.create, tc.existing, tc.spelled}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A glob that would match a directory without haz.yml is not written; names that clash or do not exist are problems.
func TestInitPlanSpelledAndClashes(t *testing.T) {
	draft := func(marks map[string]mark, dirs map[string]folder) (*Draft, error) {
		return draftOf(state{dirs: dirs, marks: marks}, func(string) bool { return false })
	}
	for _, extra := range []child{{name: ".x"}, {name: "gen", ignored: true}, {name: "link", link: true}} {
		p, err := draft(map[string]mark{"/l": markParent}, map[string]folder{"/l": {children: []child{{name: "a"}, {name: "b"}, extra}}})
		if err != nil || string(p.Workspace) != "projects:\n  - /l/a\n  - /l/b\n" || len(p.spelled) != 1 || len(p.Create) != 2 {
			t.Errorf("%+v: %s, %v", extra, p.Workspace, err)
		}
	}
	if p, err := draft(map[string]mark{"/": markParent}, map[string]folder{"/": {children: []child{{name: "a"}}}}); err != nil || string(p.Workspace) != "projects:\n  - /a\n" {
		t.Errorf("below the root stands .haz: %v, %v", p, err)
	}
	for want, roots := range map[string][]string{
		"both be project a":  {"/a", "/x/a"},
		"both be project a-": {"/a b/a ", "/a+"},
		"no project name":    {"/---"},
		"cannot be written":  {"/a\xff"},
	} {
		marks := map[string]mark{}
		for _, r := range roots {
			marks[r] = markProject
		}
		if _, err := draft(marks, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", roots, err, want)
		}
	}
}

func TestInitNames(t *testing.T) {
	for base, want := range map[string]string{"lib": "lib", "my lib": "my-lib", "a..b": "a-b", ".x": "x", "__x": "x", "-1_": "1_", "größe": "gr-e", "日本": "", "a--b": "a-b"} {
		if got := projectName(base); got != want {
			t.Errorf("%q: %q, want %q", base, got, want)
		}
	}
	for s, want := range map[string]string{"/lib": "/lib", "/l/*": "/l/*", "lib": "lib", "true": `"true"`, "No": `"No"`, "1": `"1"`, "2026-01-01": `"2026-01-01"`, "/a: b": `"/a: b"`, "/a #b": `"/a #b"`, "/é": `"/é"`} {
		if got := config.YAML(s); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}

// Whatever the size of the window, the screen fits it, and the row of the cursor is seen.
func TestInitScreenFits(t *testing.T) {
	for _, keys := range []string{"", "down down right down", "up", "?", "down down space space enter", "h down down down down down"} {
		s, _ := typed(newState(disk["/"]), keys)
		for height := 1; height < 20; height++ {
			for _, width := range []int{1, 10, 40, 80} {
				look := drawing{dir: "/w", width: width, height: height, palette: report.DecidePalette(report.ColorAlways, func(string) string { return "" }, true)}
				lines := strings.Split(look.screen(s), "\n")
				if len(lines) > height {
					t.Fatalf("%q: %d lines in %d", keys, len(lines), height)
				}
				if question := s.draft != nil && !s.help && height > 1; question && width > 10 && !strings.Contains(look.screen(s), "Write this?") {
					t.Errorf("%q: no question in %d lines: %q", keys, height, lines)
				}
				found := false
				for _, l := range lines {
					if ansi.StringWidth(l) > width {
						t.Fatalf("%q: %q is wider than %d", keys, l, width)
					}
					found = found || strings.HasPrefix(ansi.Strip(l), ">")
				}
				if !found && s.draft == nil && (s.cursor != "" || height > 1) && !s.help {
					t.Errorf("%q: the cursor is not seen in %d lines: %q", keys, height, lines)
				}
			}
		}
	}
	for text, most := range map[string]int{treeKeys: 80, confirmKeys: 80, treeKeysShort: 40, confirmKeysShort: 40} {
		if n := ansi.StringWidth(text); n > most {
			t.Errorf("the line of keys %q has %d columns", text, n)
		}
	}
}
