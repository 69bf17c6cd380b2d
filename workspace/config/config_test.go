package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/haz-build/haz/diag"
)

func readProject(text string) (*Project, diag.List) {
	return ReadProject(File{Name: "lib/haz.yml", Text: []byte(text), Rule: "DISC-008"})
}

// body reads the task t of a project.
func body(t *testing.T, text string) *Body {
	t.Helper()
	p, diags := readProject(text)
	if len(diags) > 0 {
		t.Fatalf("%s\n%s", text, diags.Render(diag.Style{}))
	}
	for _, task := range p.Tasks {
		if task.Name.Value == "t" {
			return task.Body
		}
	}
	t.Fatalf("no task t:\n%s", text)
	return nil
}

func values(l List) []string {
	out := []string{}
	for _, i := range l.Items {
		out = append(out, i.Value)
	}
	return out
}

const head = "name: lib\ntasks:\n  t:\n"

// Chapter 1, 3: a scalar in string position keeps its text as written; quotes and escapes are removed; explicit tags do not
// matter, but for !!binary; block scalars come out with LF.
func TestScalarsKeepTheirText(t *testing.T) {
	for _, c := range []struct {
		command string
		want    []string
	}{
		{`[1, true, 1.50, 0x10, 2001-01-01, yes]`, []string{"1", "true", "1.50", "0x10", "2001-01-01", "yes"}},
		{`["~", 'null', "", ''' , "a\tb\u00e9"]`, nil},
		{`["~", 'null', "", '''', "a\tb\u00e9"]`, []string{"~", "null", "", "'", "a\tbé"}},
		{`[.inf, -0, 1_000, 0o17, 1e3, NULL_, nulL]`, []string{".inf", "-0", "1_000", "0o17", "1e3", "NULL_", "nulL"}},
		{`[!!int foo, !!str 1, !!float "x", !!null y, !!bool z, !!binary aGk=, !!binary "4oKs"]`, []string{"foo", "1", "x", "y", "z", "hi", "€"}},
		{"\n      - |\n        a\r\n          b\r\n      - >-\n        c\n        d\n      - plain\n        text", []string{"a\n  b\n", "c d", "plain text"}},
		{`[a, "\x41\u0042\U00000043", "line\
           one"]`, []string{"a", "ABC", "lineone"}},
	} {
		text := head + "    command: " + c.command + "\n"
		if c.want == nil {
			if _, diags := readProject(text); len(diags) == 0 {
				t.Errorf("%s: no error", c.command)
			}
			continue
		}
		if diff := cmp.Diff(c.want, values(body(t, text).Command)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.command, diff)
		}
	}
}

// Chapter 1, 3: null is absence for optional keys (and emptiness for projects and an overlay's tasks), and an error in lists,
// as a name and as an environment value.
func TestNull(t *testing.T) {
	for _, null := range []string{"", "~", "null", "Null", "NULL", "!!str"} {
		for _, key := range []string{"inputs", "exclude", "outputs", "deps", "weakDeps", "mutex", "env", "cache", "shell_type", "command"} {
			text := head + "    shell: x\n    " + key + ": " + null + "\n"
			if b := body(t, text); b.Inputs.Set || b.Deps.Set || b.Mutex.Set || b.Cache.Set || b.Command.Set {
				t.Errorf("%s: %q is not absent", key, null)
			}
		}
		for _, text := range []string{"name: lib\ntags: " + null, "name: lib\ntasks: " + null} {
			if p, diags := readProject(text); len(diags) > 0 || len(p.Tags.Items)+len(p.Tasks) > 0 {
				t.Errorf("%q: %v", text, diags)
			}
		}
		for _, text := range []string{"projects: " + null, "projects: []\ncache: " + null + "\nconcurrency: " + null + "\noutput: " + null + "\nexecution: " + null,
			"projects: []\ncache: {hash: " + null + "}\nconcurrency: {default: " + null + "}\noutput: {mode: " + null + "}\nexecution: {cancel_grace: " + null + "}"} {
			w, diags := ReadWorkspace(File{Name: "w", Text: []byte(text)})
			if len(diags) > 0 || !w.ProjectsKnown || len(w.Projects.Items) > 0 {
				t.Errorf("%q: %v", text, diags)
			}
		}
		o, diags := ReadOverlay(File{Name: "o", Text: []byte("tagsFilter: " + null + "\ntasks: " + null)})
		if len(diags) > 0 || o.TagsFilter.Set || !o.FilterKnown || !o.TasksKnown {
			t.Errorf("overlay with %q: %v", null, diags)
		}
		for text, code := range map[string]string{
			"name: " + null:                                                      "haz::cfg::013",
			"name: lib\ntags:\n  - " + null:                                      "haz::cfg::014",
			head + "    shell: " + null:                                          "haz::cfg::020",
			head + "    command:\n      - " + null:                               "haz::cfg::021",
			head + "    shell: x\n    inputs:\n      - " + null:                  "haz::cfg::016",
			head + "    shell: x\n    env: {override: {A: " + null + "}}":        "haz::cfg::033",
			head + "    shell: x\n    env:\n      from_host:\n        - " + null: "haz::cfg::032",
			head + "    shell: x\n    mutex: {name: " + null + ", mode: shared}": "haz::cfg::019",
			"name: lib\ntasks:\n  t: " + null:                                    "haz::cfg::015",
		} {
			wantCodes(t, text, code)
		}
	}
	// A quoted one is a text, and as a key it is its text.
	if got := values(body(t, head+`    command: ["~", 'null']`).Command); !cmp.Equal(got, []string{"~", "null"}) {
		t.Errorf("quoted: %q", got)
	}
	if p, diags := readProject("name: null-\ntasks: {null: {shell: x}}"); len(diags) > 0 || p.Tasks[0].Name.Value != "null" {
		t.Errorf("key null: %v", diags)
	}
}

func wantCodes(t *testing.T, text string, codes ...string) {
	t.Helper()
	_, diags := readProject(text)
	var got []string
	for _, d := range diags.Sorted() {
		got = append(got, d.Code)
	}
	if diff := cmp.Diff(codes, got); diff != "" {
		t.Errorf("%s\n(-want +got):\n%s\n%s", text, diff, diags.Render(diag.Style{}))
	}
}

// Chapter 1, 3: anchors, aliases and merge keys.
func TestMerge(t *testing.T) {
	for _, c := range []struct {
		about, text, want string
	}{
		{"an alias", "  base: &b {shell: x}\n  t: *b", "shell x"},
		{"a merged key", "  base: &b {shell: x}\n  t: {<<: *b, inputs: [a]}", "shell x inputs a"},
		{"the map's own key wins, wherever the line stands", "  base: &b {shell: x}\n  t: {shell: y, <<: *b}", "shell y"},
		{"", "  base: &b {shell: x}\n  t: {<<: *b, shell: y}", "shell y"},
		{"[+] the earlier of two wins", "  a: &a {shell: a, inputs: [a]}\n  b: &b {shell: b, outputs: [b]}\n  t: {<<: [*a, *b]}", "shell a inputs a outputs b"},
		{"a map in place, a merge in a merge", "  t: {<<: {<<: {shell: x, inputs: [i]}, inputs: [j]}}", "shell x inputs j"},
		{"anchors sit on any value", "  x: {shell: &s x, inputs: &i [a, &g b]}\n  t: {shell: *s, inputs: *i, outputs: [*g]}", "shell x inputs a b outputs b"},
		{"<< in quotes is a key, and unknown", "  t: {shell: x, '<<': {inputs: [a]}}", "haz::cfg::004"},
		{"<< twice", "  t: {shell: x, <<: {inputs: [a]}, <<: {outputs: [a]}}", "haz::cfg::002"},
		{"a null merge", "  t: {shell: x, <<: ~}", "haz::cfg::005"},
		{"merged in every map", "  x: {shell: x, env: {override: &o {A: '1', B: '2'}}}\n  t: {shell: x, env: {<<: {from_host: [P]}, override: {<<: *o, B: '3'}}}", "shell x env P B=3 A=1"},
		{"into the tasks themselves", "  x: {shell: x}\n  <<: {t: {shell: y}, x: {shell: z}}", "shell y"},
		{"unknown keys come along, once", "  x: &x {shell: x, nope: 1}\n  t: {<<: *x}\n  u: {<<: *x}", "haz::cfg::004"},
		{"a key twice in a merged map, once", "  x: &x {shell: x, shell: y}\n  t: {<<: *x}\n  u: {<<: *x}", "haz::cfg::002"},
		{"a body under two names has its errors once", "  x: &x {shell: [x]}\n  t: *x", "haz::cfg::022"},
	} {
		p, diags := readProject("name: lib\ntasks:\n" + c.text + "\n")
		got := ""
		if len(diags) > 0 {
			for _, d := range diags.Sorted() {
				got = strings.TrimSpace(got + " " + d.Code)
			}
		} else {
			for _, task := range p.Tasks {
				if task.Name.Value == "t" {
					got = sketch(task.Body)
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q\n%s\n%s", c.about, got, c.want, c.text, diags.Render(diag.Style{}))
		}
	}
}

func sketch(b *Body) string {
	var parts []string
	if b.Shell.Set {
		parts = append(parts, "shell "+b.Shell.Value)
	}
	for _, l := range []struct {
		name string
		p    Patterns
	}{{"inputs", b.Inputs}, {"outputs", b.Outputs}} {
		if l.p.Set {
			parts = append(parts, l.name)
		}
		for _, i := range l.p.Items {
			parts = append(parts, i.Value)
		}
	}
	if b.Env.FromHost.Set {
		parts = append(parts, "env "+strings.Join(values(b.Env.FromHost), " "))
	}
	for _, o := range b.Env.Override {
		parts = append(parts, o.Key.Value+"="+o.Value.Value)
	}
	return strings.Join(parts, " ")
}

// UTF-8 with or without a mark, CRLF, JSON, a leading "---", directives and "...": all one document.
func TestForms(t *testing.T) {
	for _, text := range []string{
		"name: lib\ntags: [a, é]\n", "\ufeffname: lib\ntags: [a, é]\n", "name: lib\r\ntags:\r\n- a\r\n- é\r\n", `{"name": "lib", "tags": ["a", "é"]}`,
		"---\nname: lib\ntags: [a, é]\n", "%YAML 1.2\n---\nname: lib\ntags: [a, é]\n...\n", "# c\n\nname: lib\ntags: # d\n  - a # e\n  - é",
	} {
		p, diags := readProject(text)
		// é is no tag: the error must stand on its line, wherever the file puts it.
		if len(diags) != 1 || diags[0].Code != "haz::cfg::014" || p.Name.Value != "lib" || !cmp.Equal(values(p.Tags), []string{"a"}) {
			t.Errorf("%q: %v %v", text, p, diags)
			continue
		}
		d := diags[0].Place
		if line := strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n")[d.Line-1]; !strings.HasPrefix(line[d.Column-1:], "é") || line[:d.EndColumn-1] != line[:d.Column-1]+"é" {
			t.Errorf("%q: place %+v", text, d)
		}
	}
	wantCodes(t, "name: lib\n---\nname: lib\n", "haz::cfg::003")
	wantCodes(t, "name: lib\n---", "haz::cfg::003") // a trailing bare --- starts another
	wantCodes(t, "name: lib\n...\n...\n")
	for _, empty := range []string{"", "\n\n", "# only\n# comments", "---", "--- # c\n...", "\ufeff", "   \n"} {
		wantCodes(t, empty, "haz::cfg::002")
	}
	wantCodes(t, "~", "haz::cfg::005")
	wantCodes(t, "'~'", "haz::cfg::005")
}

// Characters that end a line for YAML and for nobody else do not move the places of what follows.
func TestOddLineBreaks(t *testing.T) {
	for _, odd := range []string{"\u0085", "\u2028", "\u2029", "\r"} {
		text := "name: lib # a" + odd + "# b\ntags: [x, _]\n"
		_, diags := readProject(text)
		if len(diags) != 1 || diags[0].Place.Line != 2 || diags[0].Place.Column != 11 {
			t.Errorf("%q: %v", odd, diags)
		}
	}
}

// Each place marks the very text that is wrong, however the scalar is written.
func TestPlaces(t *testing.T) {
	for text, marked := range map[string]string{
		`tags: [_a]`:                  "_",
		`tags: ["_a"]`:                "_",
		`tags: ['a''b']`:              "'a''b'", // not written literally: all of it
		`tags: [&x _a, b]`:            "_",
		`tags: [!!str _a]`:            "_",
		`tags: [&x !!str "a b"]`:      " ",
		"tags:\n- a\n- >\n  a b\n":    ">",
		"tags:\n- a\n- a b\n":         " ",
		"tags:\n- aé b\n":             "é",
		"tags: [é, ü, _x]":            "é",
		`tags: {a: "}"} # c`:          `{a: "}"}`,
		`tags: "a]" # c`:              `"a]"`,
		"tags:\n  a: b\n  c: d\n":     "a: b",
		`tags: ["\x5f"]`:              `"\x5f"`,
		"tags: [\"a\n  b\"]":          `"a`,
		"tags: [x, &a y, *a]":         "*a",
		"tasks: {a: &b {shell: [x]}}": "[x]",
	} {
		_, diags := readProject("name: lib\n" + text)
		if len(diags) == 0 {
			t.Errorf("%s: no error", text)
			continue
		}
		p := diags.Sorted()[0].Place
		end := len(p.Source)
		if p.EndLine == p.Line {
			end = p.EndColumn - 1
		}
		if got := p.Source[p.Column-1 : end]; got != marked {
			t.Errorf("%s: marked %q, want %q", text, got, marked)
		}
	}
}

// haz::cfg::036: an unquoted boolean.
func TestCacheFlag(t *testing.T) {
	for text, want := range map[string]string{
		"true": "true", "True": "true", "TRUE": "true", "false": "false", "False": "false", "FALSE": "false", "~": "unset",
		"yes": "error", "no": "error", "0": "error", `"false"`: "error", "'true'": "error", "[true]": "error", "tRue": "error", "on": "error", "!!bool false": "false",
	} {
		p, diags := readProject(head + "    shell: x\n    cache: " + text)
		got := "error"
		if len(diags) == 0 {
			c := p.Tasks[0].Body.Cache
			got = map[bool]string{true: fmt.Sprint(c.Value), false: "unset"}[c.Set]
		} else if diags[0].Code != "haz::cfg::036" {
			got = diags[0].Code
		}
		if got != want {
			t.Errorf("cache: %s: got %s, want %s", text, got, want)
		}
	}
}

// haz::cfg::028, haz::cfg::029: integers, quoted and not.
func TestConcurrency(t *testing.T) {
	for text, want := range map[string]int{
		"auto": 0, `"auto"`: 0, "4": 4, "+4": 4, "0x4": 4, "0o4": 4, "1_000": 1000, "04": 4,
		`"4"`: -1, "0": -1, "-1": -1, "1.5": -1, "Auto": -1, "[4]": -1, "4s": -1, `""`: -1,
	} {
		w, diags := ReadWorkspace(File{Name: "w", Text: []byte("projects: []\nconcurrency: {default: " + text + "}")})
		got := w.Concurrency.Max
		if len(diags) > 0 {
			got = -1
			if diags[0].Code != "haz::cfg::028" {
				t.Errorf("%s: %v", text, diags)
			}
		}
		if got != want {
			t.Errorf("default: %s: got %d, want %d", text, got, want)
		}
	}
	for text, want := range map[string]int{"1": 1, `"2"`: 2, "'0x3'": 3, "0": 0, "-1": 0, "1.5": 0, "~": 0, "auto": 0, "[1]": 0} {
		w, diags := ReadWorkspace(File{Name: "w", Text: []byte("projects: []\nconcurrency: {tags: {heavy: " + text + "}}")})
		got := 0
		if len(diags) == 0 {
			got = w.Concurrency.Tags[0].Max
		}
		if got != want {
			t.Errorf("tags: %s: got %d, want %d: %v", text, got, want, diags)
		}
	}
}

// An error in one place hides nothing elsewhere: what is right is read (names haz::cfg::006, paths haz::cfg::007).
func TestGoesOn(t *testing.T) {
	p, diags := readProject(`name: lib
tags: [a, _, b]
nope: 1
tasks:
  "x y": {shell: a}
  t: {shell: a, inputs: [a, src//, b], deps: [1], env: {from_host: [A, 1B], override: {C: d, "-": e}}}
  u: no
`)
	if len(diags) != 7 {
		t.Errorf("%d errors:\n%s", len(diags), diags.Render(diag.Style{}))
	}
	if !cmp.Equal(values(p.Tags), []string{"a", "b"}) || len(p.Tasks) != 1 || p.TagsKnown || p.TasksKnown {
		t.Errorf("%+v", p)
	} else if got := sketch(p.Tasks[0].Body); got != "shell a inputs a b env A C=d" {
		t.Errorf("body: %s", got)
	}
}
