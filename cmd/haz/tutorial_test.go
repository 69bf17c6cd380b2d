package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// A tutorial is a page that a reader follows from top to bottom, in one shell. Its blocks are of two kinds: a file, with its name in a line
// above, and commands with what they print. Both are taken from the page, so that it cannot grow old (go test ./cmd/haz -run TestTutorials
// -update writes what is printed today).
//
// A command succeeds, unless the next one is `echo $?`. What is never twice the same is compared as if it were: times, digests, where programs
// lie, and the order of what several tasks say at a time.
func TestTutorials(t *testing.T) {
	pages, err := filepath.Glob("../../docs/tutorial*.md")
	if err != nil || len(pages) < 2 {
		t.Fatalf("%q, %v", pages, err)
	}
	for _, name := range pages {
		t.Run(filepath.Base(name), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			text, wrong := followed(t, string(b))
			for _, w := range wrong {
				t.Error(w)
			}
			if n := strings.Count(text, "\n$ "); n < 10 {
				t.Errorf("%d commands", n)
			}
			if *update {
				mustWrite(t, name, text)
			}
		})
	}
}

// The test above notices what is wrong in a page, and what is not.
func TestTutorialsAreFollowed(t *testing.T) {
	const file = "`a/b.txt`:\n\n```text\nline\n```\n"
	for name, c := range map[string]struct{ page, want string }{
		"as it is":            {file + "```console\n$ cat a/b.txt\nline\n$ cd a\n$ cat b.txt\nline\n```\n", ""},
		"another text":        {file + "```console\n$ cat a/b.txt\nlime\n```\n", `"lime"`},
		"more text":           {"```console\n$ echo one; echo two\none\n```\n", `"two"`},
		"no text":             {"```console\n$ true\none\n```\n", `"one"`},
		"an error":            {"```console\n$ echo no >&2\nno\n```\n", ""},
		"a failure":           {"```console\n$ false\n```\n", "$ false: exit code 1"},
		"an expected one":     {"```console\n$ sh -c 'exit 3'\n$ echo $?\n3\n```\n", ""},
		"another code":        {"```console\n$ sh -c 'exit 3'\n$ echo $?\n2\n```\n", `"2"`},
		"an end":              {"```console\n$ exit 0\n$ true\n```\n", "2 of 2 commands"},
		"a block of neither":  {"```sh\necho\n```\n", "neither a file nor commands"},
		"a file with no name": {"text\n```yaml\na: b\n```\n", "neither a file nor commands"},
		"other times":         {"```console\n$ echo '[a:b] ✓ done in 1.2s'; echo ' Time: 31ms'\n[a:b] ✓ done in 7ms\n Time: 1m2s\n```\n", ""},
		"another digest":      {"```console\n$ echo key 0123456789abcdef\nkey fedcba9876543210\n```\n", ""},
		"another order":       {"```console\n$ echo '[b:x] 1'; echo '[a:x] 1'; echo '[b:x] 2'\n[a:x] 1\n[b:x] 1\n[b:x] 2\n```\n", ""},
		"another order of one": {
			"```console\n$ echo '[b:x] 2'; echo '[a:x] 1'; echo '[b:x] 1'\n[a:x] 1\n[b:x] 1\n[b:x] 2\n```\n", `"[b:x] 1"`},
	} {
		_, wrong := followed(t, c.page)
		if got := strings.Join(wrong, "\n"); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// blockOfPage is a block with the line of text above it, whose name is in backquotes and followed by a colon where the block is a file.
var blockOfPage = regexp.MustCompile("(?m)(?:^`([^`\n]+)`:\n\n)?^```([a-z]*)\n((?s:.*?))^```\n")

// endOfCommand stands behind what a command has printed, with its exit code.
const endOfCommand = "\x1e"

// followed does what a page says in an empty folder. It returns the page with what was printed, and what is wrong with the page.
func followed(t *testing.T, page string) (text string, wrong []string) {
	t.Helper()
	var script strings.Builder
	var lines []string // the commands, in their order
	folder, staged := t.TempDir(), t.TempDir()
	fmt.Fprintf(&script, "exec 2>&1\ncd '%s'\n", folder)
	for i, m := range blockOfPage.FindAllStringSubmatch(page, -1) {
		switch name, kind, body := m[1], m[2], m[3]; {
		case name != "":
			source := filepath.Join(staged, strconv.Itoa(i))
			mustWrite(t, source, body)
			fmt.Fprintf(&script, "mkdir -p \"$(dirname '%[1]s')\" && cp '%[2]s' '%[1]s'\n", name, source)
		case kind == "console":
			for _, c := range commandsOf(body) {
				lines = append(lines, c.line)
				fmt.Fprintf(&script, "%s\ncode=$?; printf '%s%%d\\n' $code; (exit $code)\n", c.line, endOfCommand)
			}
		default:
			wrong = append(wrong, "neither a file nor commands, so nothing keeps it true:\n"+m[0])
		}
	}
	printed, codes := carriedOut(t, folder, script.String())
	if len(printed) < len(lines) {
		return page, append(wrong, fmt.Sprintf("the shell ended: %d of %d commands were left", len(lines)-len(printed), len(lines)))
	}
	for i, line := range lines {
		if codes[i] != "0" && (i+1 == len(lines) || lines[i+1] != "echo $?") {
			wrong = append(wrong, fmt.Sprintf("$ %s: exit code %s:\n%s", line, codes[i], printed[i]))
		}
	}
	next := 0
	text = blockOfPage.ReplaceAllStringFunc(page, func(block string) string {
		m := blockOfPage.FindStringSubmatch(block)
		if m[1] != "" || m[2] != "console" {
			return block
		}
		var b strings.Builder
		for _, c := range commandsOf(m[3]) {
			if diff := gocmp.Diff(sameEachTime(c.printed), sameEachTime(printed[next])); diff != "" {
				wrong = append(wrong, fmt.Sprintf("$ %s (-the page +what it prints):\n%s", c.line, diff))
				c.printed = printed[next]
			}
			b.WriteString("$ " + c.line + "\n" + c.printed)
			next++
		}
		return "```console\n" + b.String() + "```\n"
	})
	return text, wrong
}

// carriedOut is what each command of a script has printed, and its exit code. The folder is called /home/you in what is printed.
func carriedOut(t *testing.T, folder, script string) (printed, codes []string) {
	t.Helper()
	hearHangups()
	c := exec.Command("sh", "-c", script)
	standIns, err := filepath.Abs("testdata/tutorial/bin")
	if err != nil {
		t.Fatal(err)
	}
	// Nothing else, so that the pages are the same where a CI says which branch it is on.
	c.Env = []string{"PATH=" + standIns + string(filepath.ListSeparator) + os.Getenv("PATH"), "TMPDIR=" + t.TempDir(), "HOME=" + t.TempDir(), "LANG=C.UTF-8",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_AUTHOR_NAME=you", "GIT_AUTHOR_EMAIL=you@example.com", "GIT_COMMITTER_NAME=you", "GIT_COMMITTER_EMAIL=you@example.com"}
	var out bytes.Buffer
	c.Stdout = &out
	err = c.Run()
	if _, isExit := err.(*exec.ExitError); err != nil && !isExit {
		t.Fatal(err)
	}
	parts := strings.Split(strings.ReplaceAll(out.String(), folder, "/home/you"), endOfCommand)
	for i, part := range parts[:len(parts)-1] {
		if i > 0 {
			_, part, _ = strings.Cut(part, "\n")
		}
		code, _, _ := strings.Cut(parts[i+1], "\n")
		printed, codes = append(printed, part), append(codes, code)
	}
	return printed, codes
}

// dialogue is a command, and what it prints.
type dialogue struct{ line, printed string }

func commandsOf(block string) (all []dialogue) {
	_, block, _ = strings.Cut("\n"+block, "\n$ ")
	for command := range strings.SplitSeq(strings.TrimSuffix(block, "\n"), "\n$ ") {
		line, printed, said := strings.Cut(command, "\n")
		if said {
			printed += "\n"
		}
		all = append(all, dialogue{line, printed})
	}
	return all
}

var (
	aTime   = regexp.MustCompile(`\b(?:\d+m)?\d+(?:\.\d+)?(?:ms|µs|s)\b|\b\d+ (?:s|min) ago\b`)
	aDigest = regexp.MustCompile(`\b[0-9a-f]{7,64}\b`)
	aTool   = regexp.MustCompile(`\(/\S*/`) // where a program lies
	ofATask = regexp.MustCompile(`^\[[^\]]+\] `)
)

// sameEachTime is a text without what no two runs have in common: times, digests, where programs lie, and the order of what tasks say beside each other.
func sameEachTime(text string) []string {
	text = aTool.ReplaceAllString(aDigest.ReplaceAllString(aTime.ReplaceAllString(text, "TIME"), "DIGEST"), "(")
	lines := strings.Split(text, "\n")
	for from := 0; from < len(lines); from++ {
		to := from
		for to < len(lines) && ofATask.MatchString(lines[to]) {
			to++
		}
		slices.SortStableFunc(lines[from:to], func(a, b string) int { return cmp.Compare(ofATask.FindString(a), ofATask.FindString(b)) })
		from = max(from, to)
	}
	return lines
}
