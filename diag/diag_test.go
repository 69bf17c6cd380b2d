package diag

import (
	"encoding/json"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"unicode/utf8"

	"flag"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func at(file string, line, column, end int, source string) Place {
	return Place{File: file, Line: line, Column: column, EndLine: line, EndColumn: end, Source: source}
}

// The form of chapter 3, section 11, each peculiarity once. The golden file is read as a user would read it.
func TestRender(t *testing.T) {
	lists := []struct {
		about string
		list  List
	}{
		{"nothing to say", nil},
		{"place, sentence, key path, code, snippet, hint: the example of the chapter", List{{
			Code: "haz::cfg::021", Place: at("lib/haz.yml", 8, 14, 23, `    command: "echo hi"`), KeyPath: "tasks.build.command",
			Message: "want a list of strings, found a string", Hint: `command: ["echo", "hi"]    or    shell: "echo hi"`,
		}}},
		{"without a place", List{{Code: "EXEC-029", Command: "run", Message: "revision \"x\" is unknown", Causes: []string{"git failed", "exit 128", "git failed"}}}},
		{"without a place or a command", List{{Code: "DISC-002", Message: "no workspace"}}},
		{"a file as a whole", List{{Code: "DISC-008", Place: Place{File: "lib/haz.yml"}, Message: "the file does not exist"}}},
		{"a related place in another file, one gutter for all", List{{
			Code: "DISC-010", Place: at("b/haz.yml", 3, 7, 11, "name: core"), Message: `two projects are named "core"`,
			Related: []Related{{Place: at("a/haz.yml", 1200, 7, 11, "name: core"), Label: "first occurrence here"}},
		}}},
		{"a warning and an error, counted", List{
			{Severity: Warning, Code: "haz::cfg::029", Place: at(".haz/workspace.yml", 4, 10, 14, "  tags: {lint: 1}"), Message: "this cap is without effect"},
			{Code: "haz::cfg::028", Place: at(".haz/workspace.yml", 3, 12, 16, "  default: Auto"), Message: "bad"},
		}},
		{"tabs stay tabs", List{{Code: "haz::cfg::yaml", Place: at("haz.yml", 2, 4, 7, "\t\tx\tfoo"), Message: "m"}, {Code: "haz::cfg::yaml", Place: at("haz.yml", 3, 5, 8, "\t\tx\tfoo"), Message: "m"}}},
		{"wide and combining characters", List{{Code: "c", Place: at("haz.yml", 1, 10, 13, "a: 日本語 foo"), Message: "m"}, {Code: "c", Place: at("haz.yml", 2, 10, 13, "a: e\u0301 e foo"), Message: "m"}}},
		{"what hides or reorders is shown", List{{Code: "c", Place: at("ha\u202ez.yml", 1, 8, 11, "a: \u202ex foo"), Message: "found " + Quote("\u202ex\x00\n"), Hint: "a\u200bb"}}},
		{"a span over several lines is marked to the end of the first", List{{Code: "c", Place: Place{File: "f", Line: 1, Column: 4, EndLine: 3, EndColumn: 2, Source: "a: [b,"}, Message: "m"}}},
		{"an empty span and one beyond the line", List{{Code: "c", Place: at("f", 1, 3, 3, "a: b"), Message: "m"}, {Code: "d", Place: at("f", 1, 90, 95, "a: b"), Message: "m"}}},
		{"a long line is cut around the mark", List{{Code: "c", Place: at("f", 1, 1001, 1004, strings.Repeat("x", 1000)+"foo"+strings.Repeat("y", 1000)), Message: "m"}}},
		{"a hint of several lines", List{{Code: "c", Message: "m", Hint: "tasks:\n  lint:\n\n    shell: x"}}},
		{"bytes that are no UTF-8", List{{Code: "c", Place: at("f\xff", 1, 2, 4, "\xfe\xffab"), Message: "m"}}},
	}
	var b strings.Builder
	for _, l := range lists {
		b.WriteString("# " + l.about + "\n" + l.list.Render(Style{}) + "\n")
	}
	golden(t, "render.txt", b.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); -update rewrites it:\n%s", file, diff)
	}
}

// Colour adds escapes and nothing else.
func TestRenderStyle(t *testing.T) {
	l := List{
		{Code: "haz::cfg::021", Place: at("f", 1, 4, 5, "a: b"), KeyPath: "a", Message: "m", Hint: "h", Causes: []string{"c"},
			Related: []Related{{Place: at("f", 2, 1, 2, "b: c"), Label: "l"}}},
		{Severity: Warning, Message: "w"},
	}
	paint := func(code string) func(string) string {
		return func(s string) string { return "\x1b[" + code + "m" + s + "\x1b[0m" }
	}
	coloured := l.Render(Style{Bold: paint("1"), Red: paint("31"), Yellow: paint("33"), Cyan: paint("36"), Dim: paint("2")})
	for _, code := range []string{"1", "31", "33", "36", "2"} {
		if !strings.Contains(coloured, "\x1b["+code+"m") {
			t.Errorf("no text in colour %s:\n%q", code, coloured)
		}
	}
	plain := coloured
	for _, code := range []string{"1", "31", "33", "36", "2", "0"} {
		plain = strings.ReplaceAll(plain, "\x1b["+code+"m", "")
	}
	if diff := cmp.Diff(l.Render(Style{}), plain); diff != "" {
		t.Errorf("without escapes (-plain +coloured):\n%s", diff)
	}
}

// Chapter 3, 5: the keys, and empty values instead of missing ones.
func TestJSON(t *testing.T) {
	l := List{
		{Code: "z", Message: "later", Place: Place{File: "z"}},
		{Severity: Warning, Code: "haz::cfg::021", Place: at("f", 1, 4, 5, "a: b"), KeyPath: "a", Message: "m", Hint: "h",
			Related: []Related{{Place: at("g", 2, 1, 2, "b: c"), Label: "l"}}},
	}
	got, err := json.MarshalIndent(l, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "list.json", string(got)+"\n")
	if got, err := json.Marshal(List(nil)); err != nil || string(got) != "[]" {
		t.Errorf("empty list: %s, %v", got, err)
	}
}

// The order does not depend on the order of finding, and equal ones are said once (chapter 3, 11).
func TestSorted(t *testing.T) {
	var all List
	for _, file := range []string{"", "a", "b"} {
		for _, line := range []int{0, 2, 10} {
			for _, column := range []int{1, 2} {
				for _, code := range []string{"DAG-014", "haz::cfg::004"} {
					for _, message := range []string{"m", "n"} {
						all = append(all, Diagnostic{Code: code, Place: Place{File: file, Line: line, Column: column}, Message: message})
					}
				}
			}
		}
	}
	// Two that differ in what is shown last only are two.
	all = append(all, Diagnostic{Code: "z", Causes: []string{"a"}}, Diagnostic{Code: "z", Causes: []string{"b"}})
	want := all.Sorted()
	if len(want) != len(all) {
		t.Fatalf("%d of %d are left", len(want), len(all))
	}
	if !slices.IsSortedFunc(want, Diagnostic.compare) {
		t.Error("not sorted")
	}
	r := rand.New(rand.NewSource(1))
	for range 50 {
		mixed := append(slices.Clone(all), all[r.Intn(len(all))], all[r.Intn(len(all))])
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if diff := cmp.Diff(want, mixed.Sorted()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

func TestErr(t *testing.T) {
	if err := (List{{Severity: Warning}}).Err(); err != nil {
		t.Errorf("warnings alone are an error: %v", err)
	}
	err := List{{Severity: Warning, Message: "w"}, {Message: "e", Code: "C"}}.Err()
	if err == nil || !strings.Contains(err.Error(), "haz: e [C]") {
		t.Errorf("got %v", err)
	}
}

func TestQuote(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", `""`},
		{"plain text", `"plain text"`},
		{`say "hi" \o/`, `"say \"hi\" \\o/"`},
		{"a\tb\nc\rd", `"a\tb\nc\rd"`},
		{"\x00\x1b[31m\x7f", `"\u{0}\u{1b}[31m\u{7f}"`},
		{"é日本", `"é日本"`},
		{"a\u202eb\u200bc\u00add\ufeff", `"a\u{202e}b\u{200b}c\u{ad}d\u{feff}"`},
		{"\u2028\u2029\u0085", `"\u{2028}\u{2029}\u{85}"`},
		{"a\u00a0b\u3000c", `"a\u{a0}b\u{3000}c"`}, // spaces that are none
		{"\u3164\u115f", `"\u{3164}\u{115f}"`},     // letters that nobody sees
		{"\ue000\ufdd0\U0001ffff", `"\u{e000}\u{fdd0}\u{1ffff}"`},
		{"a\xff\xc3", `"a\xff\xc3"`},
		{"\ufffd", "\"\ufffd\""},
	} {
		if got := Quote(c.in); got != c.want {
			t.Errorf("Quote(%q) = %s, want %s", c.in, got, c.want)
		}
	}
}

// Whatever goes in, one visible line of UTF-8 comes out.
func TestQuoteProperty(t *testing.T) {
	check := func(b []byte) bool {
		for _, s := range []string{Quote(string(b)), Escape(string(b))} {
			if !utf8.ValidString(s) || strings.IndexFunc(s, func(r rune) bool { return r != ' ' && misleads(r) }) >= 0 {
				return false
			}
		}
		return true
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		word       string
		candidates []string
		want       string
	}{
		{"ouputs", []string{"inputs", "outputs"}, "outputs"},
		{"comand", []string{"command", "shell"}, "command"},
		{"biuld", []string{"build"}, "build"}, // a swap is one edit
		{"buil", []string{"build"}, "build"},
		{"tst", []string{"test"}, "test"},
		{"te", []string{"test", "to"}, ""},                 // 2/3 = 0: too short for any
		{"tests", []string{"tset"}, ""},                    // 2 edits, 1 allowed
		{"dependson", []string{"deps"}, ""},                // far
		{"build", []string{"build"}, ""},                   // itself is no suggestion
		{"lint-b", []string{"lint-c", "lint-a"}, "lint-a"}, // equally near: byte order
		{"größe", []string{"grösse", "größen"}, "größen"},
		{"日本語です", []string{"日本語でず"}, "日本語でず"},
		{"", []string{"a"}, ""},
		{"dryrun!", []string{"dry-run"}, "dry-run"},
	} {
		if got := Nearest(c.word, c.candidates); got != c.want {
			t.Errorf("Nearest(%q, %q) = %q, want %q", c.word, c.candidates, got, c.want)
		}
	}
}

// The cheap looks and the early end of the distance change nothing: a plain, slow distance gives the same answer.
func TestNearestAgreesWithDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("abcé")), 0, 9, -1)
		word := text.Draw(t, "word")
		candidates := rapid.SliceOfN(text, 0, 5).Draw(t, "candidates")
		limit := min(2, utf8.RuneCountInString(word)/3)
		want, best := "", limit+1
		for _, c := range candidates {
			if d := slowDistance([]rune(word), []rune(c)); c != word && d <= limit && (d < best || d == best && c < want) {
				want, best = c, d
			}
		}
		if got := Nearest(word, candidates); got != want {
			t.Fatalf("Nearest(%q, %q) = %q, want %q", word, candidates, got, want)
		}
	})
}

func slowDistance(a, b []rune) int {
	switch {
	case len(a) == 0:
		return len(b)
	case len(b) == 0:
		return len(a)
	}
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func FuzzRender(f *testing.F) {
	f.Add("lib/haz.yml", 8, 14, 8, 20, "    command: \"echo hi\"", "m", "h")
	f.Add("", 0, -1, 3, 1<<30, "\t\xff日", "\n", "")
	f.Fuzz(func(t *testing.T, file string, line, column, endLine, endColumn int, source, message, hint string) {
		p := Place{File: file, Line: line, Column: column, EndLine: endLine, EndColumn: endColumn, Source: source}
		out := List{{Code: "c", Place: p, Message: message, Hint: hint, Related: []Related{{p, message}}}}.Render(Style{})
		if !utf8.ValidString(out) || !strings.HasSuffix(out, "\n") {
			t.Errorf("not lines of UTF-8: %q", out)
		}
	})
}

func BenchmarkNearest(b *testing.B) {
	candidates := make([]string, 10_000)
	r := rand.New(rand.NewSource(1))
	for i := range candidates {
		name := make([]byte, 6+r.Intn(10))
		for j := range name {
			name[j] = "abcdefghijklmnopqrstuvwxyz-0123456789"[r.Intn(37)]
		}
		candidates[i] = string(name)
	}
	b.ReportAllocs()
	for b.Loop() {
		Nearest("service-core", candidates)
	}
}
