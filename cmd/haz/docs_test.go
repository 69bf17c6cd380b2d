package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// Help fits the width that it is told, down to 40 columns; only examples and spellings may be longer.
func TestHelpWidth(t *testing.T) {
	for _, width := range []int{40, 60, 80, 100} {
		for _, path := range append(allCommands(), nil) {
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
	page := strings.NewReplacer(`\-`, "-", `\e`, `\`, `\(ga`, "`", `\(ha`, "^", `\(ti`, "~", `\&`, "", `\fB`, "", `\fR`, "", `\fI`, "").Replace(manPage("1.2.3"))
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
	options := func(help string, opts []option) {
		t.Helper()
		for _, o := range opts {
			want(o.dashed())
			want(o.help)
			if !strings.Contains(help, squeeze(o.help)) {
				t.Errorf("help lacks %q of %s", o.help, o.dashed())
			}
		}
	}
	options(squeeze(helpText(nil, 80)), globals)
	for _, path := range allCommands() {
		c := path[len(path)-1]
		help := squeeze(helpText(path, 80))
		want(pathName(path))
		for _, text := range append(append(append([]string{}, c.about...), rules(c)...), c.examples...) {
			want(text)
			if !strings.Contains(help, squeeze(text)) {
				t.Errorf("help of %s lacks %q", pathName(path), text)
			}
		}
		options(help, c.opts)
	}
	for _, topic := range topics {
		want(topic.body)
	}
	for _, line := range strings.Split(manPage("1.2.3"), "\n") {
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
			p, err := parse(strings.Fields(words))
			if err != nil || p.command() == nil {
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

func markdown() string {
	var b strings.Builder
	b.WriteString("# The command line\n\n<!-- Written by `go test ./cmd/haz -run TestDocs -update` from the table that the program uses. -->\n\n")
	b.WriteString("    haz [OPTION]... COMMAND [OPTION|ARGUMENT]...\n\n")
	b.WriteString("Options and arguments mix freely, `--` ends the options, an option may be given once. A value is attached (`--name=VALUE`) or the next word; one that begins with `-` must be attached.\n\n")
	b.WriteString("## Global options\n\nAccepted before and after the command.\n\n")
	markdownOptions(&b, globals)
	for _, path := range allCommands() {
		c := path[len(path)-1]
		fmt.Fprintf(&b, "## haz %s\n\n    %s\n\n", pathName(path), usage(path))
		for _, p := range c.about {
			b.WriteString(p + "\n\n")
		}
		markdownOptions(&b, c.opts)
		for _, r := range rules(c) {
			b.WriteString("- " + r + "\n")
		}
		if len(rules(c)) > 0 {
			b.WriteString("\n")
		}
		if len(c.examples) > 0 {
			b.WriteString("```sh\n" + strings.Join(c.examples, "\n") + "\n```\n\n")
		}
	}
	for _, t := range topics {
		fmt.Fprintf(&b, "## %s\n\n```\n%s\n```\n\n", strings.ToUpper(t.brief[:1])+t.brief[1:], strings.Trim(t.body, "\n"))
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func markdownOptions(b *strings.Builder, opts []option) {
	if len(opts) == 0 {
		return
	}
	b.WriteString("| Option | Meaning |\n|---|---|\n")
	for _, o := range opts {
		fmt.Fprintf(b, "| `%s` | %s |\n", o.spelling(), strings.ReplaceAll(o.help, "|", `\|`))
	}
	b.WriteString("\n")
}
