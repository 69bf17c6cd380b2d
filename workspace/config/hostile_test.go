package config

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/diag"
)

// The limits of chapter 1, section 3: 16 MiB, nesting 200, one million nodes. Each ends in an error, and soon.
func TestLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct{ about, text, want string }{
		// A text of n lists inside the map has nesting n+1; the list is of a wrong type all the same.
		{"nesting 200", "name: " + nested(199), "found a list"},
		{"nesting 201", "name: " + nested(200), "nested more than 200 deep"},
		{"nesting 100,000", "name: " + nested(100_000), "nested more than 200 deep"},
		{"open lists", strings.Repeat("[", 60_000), "nested more than 200 deep"},
		{"open maps", strings.Repeat("{a: ", 60_000), "nested more than 200 deep"},
		{"nested sequences", strings.Repeat("- ", 60_000), "nested more than 200 deep"},
		{"nested keys", strings.Repeat("? ", 60_000), "nested more than 200 deep"},
		{"deep by aliases", chainOfAliases(300), "nested more than 200 deep"},
		{"one million and one nodes", "name: [" + strings.Repeat("a,", 1_000_001) + "]", "more than one million nodes"},
		{"one million and one items", "tags:\n" + strings.Repeat("- a\n", 1_000_001), "more than one million nodes"},
		{"16 MiB and a byte", "#" + strings.Repeat("x", FileMax), "larger than 16 MiB"},
		{"16 MiB of commas", "name: [" + strings.Repeat("a,", FileMax/2-10) + "]", "more than one million nodes"},
		{"16 MiB of keys", strings.Repeat("a: \n", FileMax/4), "more than one million nodes"},
		{"an alias bomb", bomb(9), "more than one million nodes"},
		{"a wider one", bomb(40), "more than one million nodes"},
		{"a bomb of merges", mergeBomb(20), "more than one million nodes"},
		{"an alias to what is around it", "a: &a {b: [c, *a]}", "inside its own anchor"},
		{"a matrix of long lists", "name: p\ntasks: {t: {command: [a], matrix: {n: [" + numbers(256) + "]}, inputs: [" + numbers(4000) + "]}}", "more than one million nodes"},
		{"many matrices", "name: p\ntasks: {" + strings.Join(tasksOf(1400, "{command: [a], matrix: {n: ["+numbers(256)+"]}}"), ", ") + "}", "more than one million nodes"},
		{"a circle of two", "a: &a [&b [*a]]", "inside its own anchor"},
		{"a merge into itself", "a: &a {<<: *a}", "inside its own anchor"},
	} {
		if testing.Short() && len(c.text) > 4<<20 {
			continue
		}
		_, diags := readProject(c.text)
		found := false
		for _, d := range diags {
			found = found || strings.Contains(d.Message, c.want)
		}
		if !found || len(diags) > 3 {
			t.Errorf("%s: want %q, got %d diagnostics: %.300s", c.about, c.want, len(diags), diags.Render(diag.Style{}))
		}
	}
}

// What only looks like many nodes is none: big scripts are fine.
func TestBigScripts(t *testing.T) {
	for about, script := range map[string]string{
		"lines with commas": "|\n" + strings.Repeat("      echo a, b: c, 'd, e', [f\n", 100_000),
		"a quoted text":     "\"" + strings.Repeat("[a, b", 300_000) + "\"",
	} {
		p, diags := readProject("name: lib\ntasks:\n  t:\n    shell: " + script)
		if len(diags) > 0 || len(p.Tasks[0].Body.Shell.Value) < 1_500_000 {
			t.Errorf("%s: %.300s", about, diags.Render(diag.Style{}))
		}
	}
}

// A matrix is as large as what is written out, not as its file.
func TestLargeMatrix(t *testing.T) {
	p, diags := readProject("name: p\ntasks: {t: {command: [a], matrix: {n: [" + numbers(256) + "]}, inputs: [" + numbers(3800) + "]}}")
	if len(diags) > 0 || len(p.Tasks[0].Body.Cells) != 256 {
		t.Errorf("%d cells: %.300s", len(p.Tasks[0].Body.Cells), diags.Render(diag.Style{}))
	}
}

// haz::cfg::041 with lists that are long: each beginning is looked for, and the first name that it means is told.
func TestLongPass(t *testing.T) {
	var hashed, passed []string
	for i := range 60_000 {
		hashed, passed = append(hashed, fmt.Sprintf("B%05d", i)), append(passed, fmt.Sprintf("A%d_*", i))
	}
	_, diags := readProject("name: p\ntasks: {t: {command: [a], env: {from_host: [" + strings.Join(hashed, ",") + "], pass: [" + strings.Join(passed, ",") + ", B5999*]}}}")
	if len(diags) != 1 || !strings.Contains(diags[0].Message, `"B5999*" means "B59990"`) {
		t.Errorf("%.300s", diags.Render(diag.Style{}))
	}
}

// numbers are n of them, in a list of YAML.
func numbers(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	return strings.Join(list, ",")
}

func tasksOf(n int, body string) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("t%d: %s", i, body)
	}
	return list
}

func chainOfAliases(n int) string {
	var b strings.Builder
	b.WriteString("name: lib\ntags:\n- &a0 []\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "- &a%d [*a%d]\n", i, i-1)
	}
	return b.String()
}

// bomb is nine aliases to nine aliases to …
func bomb(levels int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 x\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 8), i-1)
	}
	return b.String()
}

func mergeBomb(levels int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 {k: v}\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d {<<: [*a%d, *a%d]}\n", i, i, i-1, i-1)
	}
	return b.String()
}

// Texts of a size that could cost more than their share, each in its own way.
func hostile(size int) map[string]string {
	fill := func(head, unit, tail string) string {
		return head + strings.Repeat(unit, max((size-len(head)-len(tail))/len(unit), 0)) + tail
	}
	numbered := func(head, format string) string {
		var b strings.Builder
		b.WriteString(head)
		for i := 0; b.Len() < size-len(format)-16; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	const task = "name: lib\ntasks:\n  t:\n    shell: x\n"
	return map[string]string{
		"equal tags":             fill("name: lib\ntags: [", "a,", "]"),
		"bad tags":               fill("name: lib\ntags: [", "_,", "]"),
		"characters in one line": fill("name: lib\ntags: [", "é,", "]"),
		"different tags":         numbered("name: lib\ntags:\n", "- t%d\n"),
		"unknown keys":           numbered("name: lib\n", "k%d: v\n"),
		"equal keys":             fill("name: lib\n", "k: v\n", ""),
		"tasks":                  numbered("name: lib\ntasks:\n", "  t%d: {shell: x}\n"),
		"tasks without anything": numbered("name: lib\ntasks:\n", "  t%d: {}\n"),
		"one body under names":   numbered("name: lib\ntasks:\n  a: &a {shell: [x], inputs: [a/, b/, c/], nope: 1}\n", "  t%d: *a\n"),
		"inputs":                 numbered(task+"    inputs:\n", "    - a%d/*.c\n"),
		"bad inputs":             fill(task+"    inputs: [", "a/,", "]"),
		"braces":                 fill(task+"    inputs: [\"{a", ",b", "}\"]"),
		"alternatives of stars":  fill(task+"    inputs: [\"{a", ",**/b", "}\"]"),
		"stars":                  fill(task+"    inputs: [\"", "*a", "\"]"),
		"double stars":           fill(task+"    inputs: [\"", "**/", "a\"]"),
		"sets":                   fill(task+"    inputs: [\"", "[a-z]", "\"]"),
		"references":             fill(task+"    deps: [", "a,", "]"),
		"a long reference":       fill(task+"    deps: [\"[a]~:", "b", "\"]"),
		"variables":              numbered(task+"    env: {override: {", "A%d: b, ") + "}}",
		"merged variables":       mergedVariables(size),
		"aliases":                fill("name: lib\ntags: [&a b, ", "*a,", "]"),
		"aliases and characters": fill("name: lib\ntags: [&é b, ", "*é,é,", "]"),
		"merges of one map":      fill("name: lib\ntasks: {t: &t {shell: x}, u: {<<: [", "*t,", "]}}"),
		"nested maps":            fill("", "{a: ", ""),
		"comments":               fill("name: lib\n", "#\n", ""),
		"comments after items":   fill("name: lib\ntags:\n", "- a #\n", ""),
		"tag directives":         numbered("", "%%TAG !a%d! tag:x\n") + "--- {}",
		"documents":              fill("", "---\n", ""),
		"quotes":                 fill("name: lib\ntags: [", "'a',", "]"),
		"an open quote":          fill("name: \"", "x\n", ""),
		"a block of blanks":      fill("name: |\n", " \n", "  x"),
		"complex keys":           fill("name: lib\ntasks: {", "[a]: b,", "}"),
		"odd line breaks":        fill("name: lib\ntags: [", "a,\u2028", "]"),
		"wrong lists":            fill("name: lib\ntags: [", "[],", "]"),
		"long name":              fill("name: ", "x", ""),
		"long bad name":          fill("name: ", "é", ""),
		"durations":              fill("projects: []\ncache: {clean: {max_age: ", "1d", "}}"),
		"digits":                 fill("projects: []\nconcurrency: {default: ", "9", "}"),
	}
}

// mergedVariables is a chain of maps, each of which merges the one before it.
func mergedVariables(size int) string {
	var b strings.Builder
	b.WriteString("name: lib\ntasks:\n")
	for i := 0; b.Len() < size-100; i++ {
		if i == 0 {
			b.WriteString("  t0: {shell: x, env: {override: &o0 {A: b}}}\n")
			continue
		}
		fmt.Fprintf(&b, "  t%d: {shell: x, env: {override: &o%d {<<: *o%d, A%d: b}}}\n", i, i, i-1, i)
	}
	return b.String()
}

// No text makes haz grow: what stays after reading 64 KiB, and what is allocated on the way, are bounded. (The latter is
// mostly what the YAML library turns over; it is never alive at once.) HAZ_TIMES prints how long each took.
func TestHostile(t *testing.T) {
	size := 64 << 10
	if testing.Short() {
		size = 8 << 10
	}
	for about, text := range hostile(size) {
		var before, after, kept runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := time.Now()
		p, diags := readProject(text)
		w, more := ReadWorkspace(File{Name: "w", Text: []byte(text)})
		took := time.Since(start) / 2
		runtime.ReadMemStats(&after)
		runtime.GC()
		runtime.ReadMemStats(&kept)
		turned := (after.TotalAlloc - before.TotalAlloc) / 2 >> 20
		stays := (int64(kept.HeapAlloc) - int64(before.HeapAlloc)) / 2 >> 20
		if os.Getenv("HAZ_TIMES") != "" {
			fmt.Printf("%-24s %6d bytes %10v %4d MiB turned over, %3d stay, %d diagnostics\n", about, len(text), took, turned, stays, len(diags))
		}
		if turned > 64 || stays > 32 {
			t.Errorf("%s: %d MiB turned over, %d stay", about, turned, stays)
		}
		runtime.KeepAlive(p)
		runtime.KeepAlive(w)
		runtime.KeepAlive(diags)
		runtime.KeepAlive(more)
	}
}

// What is read is total: no panic, places inside the file, one line of text a message.
func FuzzRead(f *testing.F) {
	for _, text := range hostile(400) {
		f.Add([]byte(text))
	}
	for _, text := range []string{
		"", "name: lib\ntags: [a]\ntasks:\n  t:\n    command: [a]\n    inputs: [\"*.c\"]\n    mutex: {name: a, mode: shared}\n    env: {from_host: [A], override: {B: c}}\n    cache: no\n",
		"projects: [/a]\ncache: {hash: sha256, clean: {max_age: 1d, max_size: 1KB}}\nconcurrency: {default: 4, tags: {a: 1}}\noutput: {mode: live}\nexecution: {cancel_grace: .5}\n",
		"tagsFilter: [a]\ntasks: {}\n", "a: &a [*a]", "<<: {a: b}", "? [a]\n: b", "--- !!binary a\n", "\ufeff\u0085", "a\u2028\r\nb: \"\\0", "- !x\n- !", "%YAML 1.2\n---\n", "&a &b c", "*",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file := File{Name: "f", Text: text, Rule: "haz::cfg::023"}
		_, a := ReadWorkspace(file)
		_, b := ReadProject(file)
		_, c := ReadOverlay(file)
		for _, d := range append(append(a, b...), c...) {
			if d.Code == "" || d.Message == "" || strings.Contains(diag.Escape(d.Message), "\n") {
				t.Errorf("%#v", d)
			}
			for _, p := range append([]diag.Related{{Place: d.Place}}, d.Related...) {
				if p.Place.File != "f" || p.Place.Line < 0 || p.Place.Line > 0 && (p.Place.Column < 1 || p.Place.Source != "" && p.Place.Column > len(p.Place.Source)+1) {
					t.Errorf("%q: place %+v", d.Message, p.Place)
				}
			}
		}
	})
}
