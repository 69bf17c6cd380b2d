//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// entered is a line as somebody types it, and what the program gets when the line is entered. Before enter every shell has
// closed the quote that it completed in.
type entered struct{ line, want string }

// everywhere are lines that mean the same to all three shells. Those that name haz by a path are entered where it is not on PATH.
var everywhere = []entered{
	{"haz run lib:bui\t", "run lib:build"},
	{"haz run \"lib:bui\t", "run lib:build"},
	{"haz run 'lib:bui\t", "run lib:build"},
	{"haz run 'lib:b\til\t", "run lib:build"}, // several: what they share is put in, and the rest typed
	{"haz run lib:\til\t", "run lib:build"},
	{"haz run \"^:bui\t", "run ^:build"},
	{"haz run '^:bui\t", "run ^:build"},
	{"haz run '~:bui\t", "run ~:build"},
	{"haz run \"~:bui\t", "run ~:build"},
	{"haz run '[c]:bui\t", "run [c]:build"},
	{"haz run \"lib:bundle\" \"lib:bui\t", "run lib:bundle lib:build"},
	{"haz run @acme/ui:pack:p\t", "run @acme/ui:pack:prod"}, // bash breaks words at @ and at each colon
	{"haz run '@acme/ui:pack:p\t", "run @acme/ui:pack:prod"},
	{"haz run @ac\td\t", "run @acme/ui:pack:dev"},
	{"haz run '^:pack:p\t", "run ^:pack:prod"},
	{"haz run github.com/acme/co\ttest/un\t", "run github.com/acme/core:test/unit"}, // a dot and slashes, in both parts
	{"haz run core:test/un\t", "run core:test/unit"},                                // an alias
	{"haz run core:v1.2:de\t", "run core:v1.2:deploy.eu"},
	{"haz run 'github.com/acme/core:v1.2:de\t", "run github.com/acme/core:v1.2:deploy.eu"},
	{"haz why github.com/acme/core:v1\t", "why github.com/acme/core:v1.2:deploy.eu"},
	{"haz query --projects=github.com/\t", "query --projects=github.com/acme/core"},
	{"haz query --projects=@ac\t", "query --projects=@acme/ui"},
	{"haz run --output-mode=bu\t", "run --output-mode=buffered"},
	{"haz run --output-mode='bu\t", "run --output-mode=buffered"},
	{"haz -C '../../my ws' run lib:bui\t", "-C ../../my ws run lib:build"},
	{"haz ru\t lib:build", "run lib:build"},
	{"haz -C ~/my\\ ws run lib:bui\t", "-C HOME/my ws run lib:build"},
	{"haz -C $HOME/'my ws' run lib:bui\t", "-C HOME/my ws run lib:build"},
	{"$(touch ~/executed)/haz run lib:bui\t\x15haz run", "run"}, // nothing is executed for a completion
	{"true; haz run lib:bui\t", "run lib:build"},
	{"A=b haz run lib:bui\t", "run lib:build"},
	{"haz run lib:bui lib:bundle\x01\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\x06\t", "run lib:build lib:bundle"}, // in the middle
	{"~/bin/haz run lib:bui\t", "run lib:build"},
	{"$HOME/bin/haz run lib:bui\t", "run lib:build"},
	{"../../bin/haz run lib:bui\t", "run lib:build"},
	{"nowhere/haz run lib:bui\t\x15~/bin/haz run", "run"},
	{"true && ~/bin/haz run 'lib:bui\t", "run lib:build"},
}

// In a real shell, what completion puts into the line is what haz understands, and nothing is printed over the line.
func TestCompletionInShells(t *testing.T) {
	for name, shell := range map[string]struct {
		start []string
		rc    string // where it is read from
		setup string
		also  []entered
	}{
		"bash": {start: []string{"bash", "--noprofile", "--rcfile", "%s/rc", "-i"}, rc: "rc",
			setup: "PROMPT_COMMAND='n=$((n+1))'; PS1='READY$n> '; bind 'set enable-bracketed-paste off'; . %s/bash",
			also: []entered{
				{"haz run lib\\:bui\t", "run lib:build"},
				{"haz run \"lib:\"bui\t", "run lib:build"},
				{"${HOME}/bin/haz run lib:bui\t", "run lib:build"},
				{"../../my\\ bin/haz run lib:bui\t", "run lib:build"},
			}},
		"zsh": {start: []string{"zsh", "-i"}, rc: ".zshrc",
			setup: "unset zle_bracketed_paste; precmd() { n=$((n+1)) }; setopt promptsubst; PS1='READY$n> '; PS2='> '; bindkey -e; autoload -U compinit; compinit -D -u; . %s/zsh",
			also: []entered{
				{"haz run lib\\:bui\t", "run lib:build"},
				{"haz run $'lib:bui\t", "run lib:build"},
				{"command haz run \"lib:bui\t", "run lib:build"},
				{"${HOME}/bin/haz run lib:bui\t", "run lib:build"},
				{"../../my\\ bin/haz run lib:bui\t", "run lib:build"},
			}},
		"fish": {start: []string{"fish", "-i"}, rc: ".config/fish/config.fish",
			setup: "function count_up --on-event fish_prompt; set -g n (math $n + 1); end; function fish_prompt; printf 'READY%%s> ' $n; end; set -g n 0; set -g fish_greeting ''; source %s/fish",
			also: []entered{
				{"haz run lib\\:bui\t", "run lib:build"},
				{"command haz run \"lib:bui\t", "run lib:build"},
				{"\"$HOME/bin/haz\" run lib:bui\t", "run lib:build"},
				{"'../../my bin/haz' run lib:bui\t", "run lib:build"},
				{"not haz run \"lib:bui\t", "run lib:build"},
				{"{$HOME}/bin/haz run lib:bui\t", "run lib:build"},
			}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(shell.start[0]); err != nil {
				t.Skip(err)
			}
			var lines [2][]entered
			for _, line := range append(everywhere, shell.also...) {
				byPath := 0
				if strings.Contains(line.line, "bin/haz") {
					byPath = 1
				}
				lines[byPath] = append(lines[byPath], line)
			}
			completesIn(t, name, shell.start, shell.rc, shell.setup, "bin", lines[0])
			completesIn(t, name, shell.start, shell.rc, shell.setup, "elsewhere", lines[1])
		})
	}
}

// completesIn enters lines in a shell that has the folder onPath of its home on PATH; haz is in bin.
func completesIn(t *testing.T, name string, start []string, rc, setup, onPath string, lines []entered) {
	haz, err := exec.LookPath("haz")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	said := filepath.Join(root, "said")
	mustWrite(t, filepath.Join(root, "bin/haz"), fmt.Sprintf(`#!/bin/sh
case $1 in __complete) exec %q "$@" ;; esac
echo "$*" > %[2]q.new && mv %[2]q.new %[2]q
`, haz, said))
	mustWrite(t, filepath.Join(root, "my ws/.haz/workspace.yml"), "projects: [/lib, /ui, /core]\n")
	mustWrite(t, filepath.Join(root, "my ws/core/haz.yml"), "name: github.com/acme/core\naliases: [core]\ntasks:\n  test/unit: {shell: echo}\n  v1.2:deploy.eu: {shell: echo}\n")
	mustWrite(t, filepath.Join(root, "my ws/ui/haz.yml"), "name: \"@acme/ui\"\ntasks:\n  pack:prod: {shell: echo}\n  pack:dev: {shell: echo}\n")
	mustWrite(t, filepath.Join(root, "my ws/lib/haz.yml"), "name: lib\ntags: [c]\ntasks:\n  build: {shell: echo}\n  bundle: {shell: echo}\n")
	if err := os.Chmod(filepath.Join(root, "bin/haz"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("bin", filepath.Join(root, "my bin")); err != nil {
		t.Fatal(err)
	}
	script, err := exec.Command(haz, "completion", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(root, name), string(script))
	mustWrite(t, filepath.Join(root, rc), fmt.Sprintf(setup, root)+"\n")
	// Without this folder a new fish reads all manual pages, and goes on when it has ended.
	if err := os.MkdirAll(filepath.Join(root, "data/fish/generated_completions"), 0o755); err != nil {
		t.Fatal(err)
	}
	command := []string{"env", "HOME=" + root, "ZDOTDIR=" + root, "XDG_CONFIG_HOME=" + root + "/.config", "XDG_DATA_HOME=" + root + "/data", "XDG_CACHE_HOME=" + root + "/cache",
		"HISTFILE=", "PATH=" + root + "/" + onPath + ":" + strings.ReplaceAll(os.Getenv("PATH"), filepath.Dir(haz)+":", "")}
	for _, word := range start {
		command = append(command, strings.ReplaceAll(word, "%s", root))
	}
	s := startInTerminal(t, filepath.Join(root, "my ws/lib"), 24, 200, command...)
	seen := 0
	prompt := 0 // its number: shells draw one again and again
	prompted := func() bool {
		return strings.Contains(ansi.Strip(s.output()), fmt.Sprintf("READY%d> ", prompt+1))
	}
	for _, line := range lines {
		if !eventually(20*time.Second, prompted) {
			t.Fatalf("no prompt; the terminal shows %q", s.output()[seen:])
		}
		prompt++
		seen = len(s.output())
		s.types(line.line + "\r")
		eventually(10*time.Second, func() bool { _, err := os.Stat(said); return err == nil || prompted() })
		got, err := os.ReadFile(said)
		if err != nil {
			t.Fatalf("%q: nothing is run; the terminal shows %q", line.line, s.output()[seen:])
		}
		if got := strings.ReplaceAll(strings.TrimSpace(string(got)), root, "HOME"); got != line.want {
			t.Errorf("%q runs %q, want %q", line.line, got, line.want)
		}
		if err := os.Remove(said); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"rror", "nknown", "not found", "No such"} {
			if strings.Contains(s.output()[seen:], bad) {
				t.Errorf("%q: the terminal shows %q", line.line, s.output()[seen:])
				break
			}
		}
	}
	if _, err := os.Stat(filepath.Join(root, "executed")); err == nil {
		t.Error("what stands in the line was executed for a completion")
	}
}
