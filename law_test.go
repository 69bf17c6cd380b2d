package haz

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The specification in docs/spec is the law: each rule has an anchor there, and is cited by the same id by code, tests and
// documents. What is cited must be there, and what is there must be cited.

var (
	anchor   = regexp.MustCompile(`<a id="([^"]+)"></a>`)
	ruleID   = regexp.MustCompile(`\bhaz::cfg::\d{3}\b|\b(?:AUX|CACHE|DAG|DISC|EXEC|ID|MUTEX|PATH|QRY|REF)-\d{3}\b|\bS-\d\d\b`)
	ruleRun  = regexp.MustCompile(`\b(haz::cfg::|[A-Z]+-)(\d{2,3}) ?(?:\.\.|…) ?(?:haz::cfg::|[A-Z]+-)?(\d{2,3})\b`)
	heading  = regexp.MustCompile(`(?m)^(?:##+ |\*\*)(\d+(?:\.\d+)*[a-z]?)`) // worked examples have theirs in bold
	section  = regexp.MustCompile(`[Cc]hapter ([1-9]\d*),? (?:section )?(\d+(?:\.\d+)*)`)
	chapters = regexp.MustCompile(`[Cc]hapter ([1-9]\d*)\b`)
	golden   = regexp.MustCompile(`^cfg-(\d{3})-`) // names of golden files are names of tests; no colon in a file name
)

// law is what the chapters define.
type law struct {
	rules    map[string]int      // id → chapter
	sections map[string]struct{} // "2 4.6"
	doubled  []string            // ids with two anchors
	chapters int
}

func readLaw(t *testing.T, chapters map[string]string) law {
	t.Helper()
	l := law{rules: map[string]int{}, sections: map[string]struct{}{}, chapters: len(chapters)}
	for name, text := range chapters {
		number, _, _ := strings.Cut(name, "-")
		chapter, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("%s is no chapter", name)
		}
		for _, m := range anchor.FindAllStringSubmatch(text, -1) {
			if _, twice := l.rules[m[1]]; twice {
				l.doubled = append(l.doubled, m[1])
			}
			l.rules[m[1]] = chapter
		}
		for _, m := range heading.FindAllStringSubmatch(text, -1) {
			at := number + " " + m[1]
			if _, twice := l.sections[at]; twice {
				l.doubled = append(l.doubled, "section "+at)
			}
			l.sections[at] = struct{}{}
		}
	}
	return l
}

// cited are the rules that a text names, runs like QRY-001..009 included.
func cited(text string) []string {
	ids := ruleID.FindAllString(text, -1)
	for _, m := range ruleRun.FindAllStringSubmatch(text, -1) {
		first, _ := strconv.Atoi(m[2])
		last, _ := strconv.Atoi(m[3])
		for n := first; n <= last; n++ {
			ids = append(ids, fmt.Sprintf("%s%0*d", m[1], len(m[2]), n))
		}
	}
	return ids
}

// unresolved lists what a text cites that is not in the law.
func (l law) unresolved(text string) []string {
	var bad []string
	for _, id := range cited(text) {
		if _, ok := l.rules[id]; !ok {
			bad = append(bad, id)
		}
	}
	for _, m := range section.FindAllStringSubmatch(text, -1) {
		if _, ok := l.sections[m[1]+" "+m[2]]; !ok {
			bad = append(bad, m[0])
		}
	}
	for _, m := range chapters.FindAllStringSubmatch(text, -1) {
		if n, err := strconv.Atoi(m[1]); err != nil || n > l.chapters {
			bad = append(bad, m[0])
		}
	}
	return bad
}

// sources reads all that may cite: name → text. Not the specification itself, and nothing in folders with a dot.
func sources(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."), d.IsDir() && name == filepath.Join("docs", "spec"):
			return fs.SkipDir
		case !d.Type().IsRegular() || name == "law_test.go" || !mayCite(filepath.ToSlash(name)):
			return nil
		}
		text, err := os.ReadFile(name)
		files[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// mayCite reports whether a file is text of ours. Names without an ending are dialogues below testdata; elsewhere they are programs
// that the example has built.
func mayCite(name string) bool {
	switch path.Ext(name) {
	case ".go", ".txtar", ".txt", ".md", ".json", ".yml", ".patch":
		return true
	case "":
		return strings.Contains(name, "testdata/")
	}
	return false
}

func readSpec(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("docs/spec/*.md")
	if err != nil || len(names) != 3 {
		t.Fatalf("chapters: %q, %v", names, err)
	}
	chapters := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		chapters[filepath.Base(name)] = string(text)
	}
	return chapters
}

// Whatever is cited leads to its place.
func TestCitationsResolve(t *testing.T) {
	chapters := readSpec(t)
	l := readLaw(t, chapters)
	for _, id := range l.doubled {
		t.Errorf("%s has two anchors", id)
	}
	for id := range l.rules {
		if ruleID.FindString(id) != id {
			t.Errorf("the anchor %q is no id of a rule", id)
		}
	}
	texts := sources(t)
	for name, text := range chapters {
		texts["docs/spec/"+name] = text
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		for _, what := range l.unresolved(texts[name]) {
			t.Errorf("%s cites %s, which docs/spec does not have", name, what)
		}
	}
}

// Every rule leads, by grep, to code or to a test; those of chapter 1, which users meet as codes, to both.
func TestRulesAreCited(t *testing.T) {
	l := readLaw(t, readSpec(t))
	code, tests := map[string]bool{}, map[string]bool{}
	for name, text := range sources(t) {
		to := code
		switch {
		case strings.HasPrefix(name, "internal/mutants/"), !strings.HasSuffix(name, ".go") && !strings.Contains(name, "testdata/"):
			continue // what plants bugs proves nothing, documents neither
		case strings.HasSuffix(name, "_test.go"), strings.Contains(name, "testdata/"), strings.Contains(name, "test/"):
			to = tests
			if m := golden.FindStringSubmatch(filepath.Base(name)); m != nil {
				text += " haz::cfg::" + m[1]
			}
			text += " " + filepath.Base(name)
		}
		for _, id := range cited(text) {
			to[id] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(l.rules)) {
		switch {
		case !code[id] && !tests[id]:
			t.Errorf("neither code nor a test cites %s", id)
		case l.rules[id] == 1 && !code[id]:
			t.Errorf("no code cites %s", id)
		case l.rules[id] == 1 && !tests[id]:
			t.Errorf("no test cites %s", id)
		}
	}
}

// TestLawGoesRed shows that both checks can fail.
func TestLawGoesRed(t *testing.T) {
	l := readLaw(t, map[string]string{"1-words.md": "# Chapter 1\n\n## 2. Names\n\n### 2.1 Form\n\n<a id=\"ID-001\"></a>ID-001 <a id=\"ID-001\"></a>\n"})
	if !slices.Equal(l.doubled, []string{"ID-001"}) {
		t.Errorf("two anchors of one rule: %v", l.doubled)
	}
	for text, want := range map[string][]string{
		"(ID-001; chapter 1, 2.1)":    nil,
		"ID-002":                      {"ID-002"},
		"haz::cfg::077":               {"haz::cfg::077"},
		"ID-001..003":                 {"ID-002", "ID-003"},
		"ID-001 … ID-002":             {"ID-002"},
		"chapter 1, 2.2":              {"chapter 1, 2.2"},
		"Chapter 1, section 3":        {"Chapter 1, section 3"},
		"as chapter 2 says":           {"chapter 2"},
		"S-100 and SHA-256 are none":  nil,
		"chapter 1, section 2, is it": nil,
	} {
		got := l.unresolved(text)
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

var (
	invariant = regexp.MustCompile(`(?m)^\* \*\*I(\d+) `)
	ofSet     = regexp.MustCompile(`\bI(\d{1,2})\b(?: (?:to|and) I?(\d{1,2})\b)?`)
)

// invariantsIn are the numbers of invariants that a text names, I1 to I9 included.
func invariantsIn(text string) []int {
	var list []int
	for _, m := range ofSet.FindAllStringSubmatch(text, -1) {
		first, _ := strconv.Atoi(m[1])
		last := first
		if m[2] != "" {
			last, _ = strconv.Atoi(m[2])
		}
		for n := first; n <= last; n++ {
			list = append(list, n)
		}
	}
	return list
}

// The invariants have one list, in ARCHITECTURE.md, and one numbering; the simulation reports each of its share by its number.
func TestInvariantsAreOneList(t *testing.T) {
	texts := sources(t)
	var list []int
	for _, m := range invariant.FindAllStringSubmatch(texts["ARCHITECTURE.md"], -1) {
		n, _ := strconv.Atoi(m[1])
		if list = append(list, n); n != len(list) {
			t.Fatalf("I%d comes as number %d", n, len(list))
		}
	}
	if len(list) != 20 || !slices.Equal(invariantsIn("I8 to I10, (I4)"), []int{8, 9, 10, 4}) {
		t.Fatalf("%d invariants", len(list))
	}
	maps.Copy(texts, readSpec(t))
	reported := map[int]bool{}
	for name, text := range texts {
		for _, n := range invariantsIn(text) {
			if n < 1 || n > len(list) {
				t.Errorf("%s names I%d, which ARCHITECTURE.md does not have", name, n)
			}
			reported[n] = reported[n] || strings.HasPrefix(name, "actors/actorstest/") && strings.Contains(text, fmt.Sprintf("\"I%d: ", n))
		}
	}
	for _, n := range list[:15] {
		if !reported[n] {
			t.Errorf("the simulation does not report I%d", n)
		}
	}
}
