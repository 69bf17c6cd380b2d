package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// docs/cli.md comes from the table (-update rewrites it).
func TestDocs(t *testing.T) {
	const path = "../../docs/cli.md"
	got := markdown()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/cli.md is not what the table says (go test ./cmd/haz -run TestDocs -update):\n%s", diff)
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
