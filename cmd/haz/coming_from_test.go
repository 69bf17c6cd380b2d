//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fileOfPage is a file that a page shows: its name in backquotes, a colon, and the text.
var fileOfPage = regexp.MustCompile("(?m)^`([^`]+)`:\n\n```(?:text|yaml)\n((?s:.*?))```\n")

// dialogueOfPage is commands with what they print.
var dialogueOfPage = regexp.MustCompile("(?m)^```console\n((?s:.*?))```\n")

// What docs/coming-from.md shows of ours is so: each section's files, beside the sources, are a workspace in which its commands succeed and
// say what they say there.
func TestComingFrom(t *testing.T) {
	page, err := os.ReadFile("../../docs/coming-from.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(string(page), "\n## ")
	var sources [][]string
	ran := 0
	for _, s := range sections[1:] {
		name, text, _ := strings.Cut(s, "\n")
		var files [][]string
		for _, m := range fileOfPage.FindAllStringSubmatch(text, -1) {
			if m[1] == "haz.yml" || strings.HasPrefix(m[1], ".haz/") || strings.HasPrefix(m[1], "packages/") {
				files = append(files, m[1:])
			}
		}
		if sources == nil {
			sources = files
			continue
		}
		t.Run(name, func(t *testing.T) {
			dialogue := dialogueOfPage.FindStringSubmatch(text)
			if dialogue == nil {
				t.Fatal("no commands")
			}
			root := t.TempDir()
			for _, f := range append(append([][]string{}, sources...), files...) {
				at := filepath.Join(root, f[0])
				if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
					t.Fatal(err)
				}
				mustWrite(t, at, f[1])
			}
			for command := range strings.SplitSeq(strings.TrimPrefix(dialogue[1], "$ "), "\n$ ") {
				line, want, _ := strings.Cut(command, "\n")
				args, _ := strings.CutPrefix(line, "haz ")
				c := exec.Command("sh", "-c", realHaz(t)+" "+args)
				c.Dir, c.Stderr = root, new(strings.Builder)
				out, err := c.Output()
				if err != nil || string(out) != want && strings.TrimSpace(string(out)) != strings.TrimSpace(want) {
					t.Errorf("$ %s: %v\n%swant\n%s%v", line, err, out, want, c.Stderr)
				}
			}
			if out, err := exec.Command("sh", "-c", "cd "+root+" && "+realHaz(t)+" check 2>&1").CombinedOutput(); err != nil || strings.Contains(string(out), "warning") {
				t.Errorf("check: %v\n%s", err, out)
			}
		})
		ran++
	}
	if ran < 6 {
		t.Errorf("%d sections ran", ran)
	}
}
