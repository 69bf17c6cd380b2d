package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz/cmd/haz/early"
)

// docs/cli.md comes from the table (-update rewrites it).
func TestDocs(t *testing.T) {
	const path = "../../docs/cli.md"
	golden(t, path, markdown())
}

// golden compares a text with a file, which -update rewrites.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		mustWrite(t, path, got)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test ./cmd/haz -run %s -update; -want +got):\n%s", path, t.Name(), diff)
	}
}

// What `haz help` says before the rest of the program is initialised is what the table says.
func TestEarlyHelp(t *testing.T) {
	golden(t, "early/help.txt", helpText(nil, early.HelpWidth))
}

// Each command has a file with its name and its row, maybe more that begin with its name, and the files for several stay few enough to be found.
func TestFolder(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.go") })
	others := len(files)
	for _, c := range newTable().commands {
		name := strings.TrimLeft(c.Name, "_")
		text, err := os.ReadFile(name + ".go")
		if row := "\nfunc " + name + "Command() *command {\n"; err != nil || !strings.Contains(string(text), row) {
			t.Errorf("%s.go has no row of the command: %v", name, err)
		}
		others--
		for _, f := range files {
			if strings.HasPrefix(f, name+"_") {
				others--
			}
		}
	}
	if others > 16 {
		t.Errorf("%d files beside those of commands: %q", others, files)
	}
}

// Help fits the width that it is told, down to 40 columns; only examples and spellings may be longer.
func TestHelpWidth(t *testing.T) {
	for _, width := range []int{40, 60, 80, 100} {
		for _, path := range append(newTable().all(), nil) {
			text := helpText(path, width)
			text, _, _ = strings.Cut(text, "\nExamples:\n")
			for _, line := range strings.Split(text, "\n") {
				if n := len([]rune(line)); n > width && strings.Contains(strings.TrimSpace(line), "  ") {
					t.Errorf("%s at %d columns: %q has %d", pathName(path), width, line, n)
				}
			}
		}
	}
}

// The manual page and docs/cli.md know every command, option, rule, example and topic that help knows: one table for all.
func TestAllSpeakOfTheSame(t *testing.T) {
	// What roff escapes reads as before, and blanks do not count: help is wrapped.
	page := strings.NewReplacer(`\-`, "-", `\e`, `\`, `\(ga`, "`", `\(ha`, "^", `\(ti`, "~", `\&`, "", `\fB`, "", `\fR`, "", `\fI`, "").Replace(manual())
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	texts := map[string]string{"the manual page": squeeze(page), "docs/cli.md": squeeze(strings.ReplaceAll(markdown(), `\|`, "|"))}
	want := func(text string) {
		t.Helper()
		for name, all := range texts {
			if !strings.Contains(all, squeeze(text)) {
				t.Errorf("%s lacks %q", name, text)
			}
		}
	}
	options := func(help string, opts []*option) {
		t.Helper()
		for _, o := range opts {
			want(o.dashed())
			want(o.Usage)
			if !strings.Contains(help, squeeze(o.Usage)) {
				t.Errorf("help lacks %q of %s", o.Usage, o.dashed())
			}
		}
	}
	table := newTable()
	options(squeeze(helpText(nil, 80)), table.globals)
	for _, path := range table.all() {
		p := table.page(path)
		help := squeeze(helpText(path, 80))
		want(pathName(path))
		for _, text := range slices.Concat(p.Paragraphs(), p.Rules(), p.Examples()) {
			want(text)
			if !strings.Contains(help, squeeze(text)) {
				t.Errorf("help of %s lacks %q", pathName(path), text)
			}
		}
		options(help, p.Options())
	}
	for _, topic := range topics {
		want(topic.text)
	}
	for _, line := range strings.Split(manual(), "\n") {
		if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !strings.Contains(" .TH .SH .SS .TP .PP .B .nf .fi .RS .RE ", " "+strings.Fields(line)[0]+" ") {
			t.Errorf("a line of text that roff takes for a request: %q", line)
		}
	}
}

// What the README shows is true: its commands are understood, and its workspace can be copied.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	commands, files, name := 0, map[string]string{}, ""
	blocks := strings.Split(string(text), "```")
	for i := 1; i < len(blocks); i += 2 {
		language, body, _ := strings.Cut(blocks[i], "\n")
		for line := range strings.Lines(body) {
			switch at, isPath := strings.CutPrefix(line, "# "); {
			case language == "yaml" && isPath:
				name = strings.TrimSpace(at)
			case language == "yaml":
				files[name] += line
			}
			line = strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "$ ")
			words, ok := strings.CutPrefix(line, "haz ")
			if !ok {
				words, ok = strings.CutPrefix(line, "go run ./cmd/haz ")
			}
			if !ok {
				continue
			}
			words, _, _ = strings.Cut(words, "  ") // what stands to the right is an explanation
			commands++
			if _, did, err := judged(strings.Fields(words)); err != nil || !did {
				t.Errorf("%q: %v", line, err)
			}
		}
	}
	if commands < 7 || len(files) != 3 {
		t.Errorf("%d commands and %d files are found", commands, len(files))
	}
	dir := t.TempDir()
	for name, text := range files {
		mustWrite(t, filepath.Join(dir, name), text)
	}
	mustWrite(t, filepath.Join(dir, "lib/src.txt"), "library\n")
	mustWrite(t, filepath.Join(dir, "app/main.txt"), "program\n")
	for _, want := range []string{"Tasks: 2 completed\n", "Tasks: 2 completed (2 cached)\n"} {
		haz := exec.Command("haz", "run", "app:build")
		haz.Dir = dir
		if out, err := haz.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("no %q: %v\n%s", want, err, out)
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, "app/app.txt")); string(got) != "library\nprogram\n" {
		t.Errorf("the result is %q, %v", got, err)
	}
}

func helpText(path []*command, width int) string {
	var b strings.Builder
	newTable().help(&b, path, width)
	return b.String()
}

func manual() string {
	var b strings.Builder
	newTable().man(&b, "1.2.3")
	return b.String()
}

const markdownPage = "# The command line\n\n<!-- Written by `go test ./cmd/haz -run TestDocs -update` from the table that the program uses. -->\n\n" +
	"    haz [OPTION]... COMMAND [OPTION|ARGUMENT]...\n\n" +
	"Options and arguments mix freely, `--` ends the options, an option may be given once. A value is attached (`--name=VALUE`) or the next word; one that begins with `-` must be attached.\n\n" +
	"## Global options\n\nAccepted before and after the command.\n\n" +
	"{{define `options`}}{{with .}}| Option | Meaning |\n|---|---|\n{{range .}}| `{{spelling .}}` | {{cell .Usage}} |\n{{end}}\n{{end}}{{end}}{{template `options` .Globals}}" +
	"{{range .Pages}}## haz {{.Path}}\n\n    haz {{.Synopsis}}\n\n{{range .Paragraphs}}{{.}}\n\n{{end}}{{template `options` .Options}}" +
	"{{with .Rules}}{{range .}}- {{.}}\n{{end}}\n{{end}}{{with .Examples}}```sh\n{{range .}}{{.}}\n{{end}}```\n\n{{end}}{{end}}" +
	"{{range .Topics}}## {{title .Brief}}\n\n```\n{{.Body}}\n```\n\n{{end}}"

func markdown() string {
	var b strings.Builder
	cli.HelpPrinterCustom(&b, markdownPage, newTable().page(nil), map[string]any{
		"spelling": (*option).spelling,
		"cell":     func(text string) string { return strings.ReplaceAll(text, "|", `\|`) },
		"title":    func(text string) string { return strings.ToUpper(text[:1]) + text[1:] },
	})
	return strings.TrimRight(b.String(), "\n") + "\n"
}
