package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A hint is right when somebody who follows it to the letter gets there. These tests follow: they read the first hint of an error,
// do what it says, and try again.

// Lines of a task in which something is written as in other tools; mended is what stands there in the end.
var mistakes = []struct{ line, mended string }{
	{`deps: ["^build"]`, `deps: ["^uses:build"]`},
	{`deps: [^build]`, `deps: [^uses:build]`},
	{`weakDeps: ["^build"]`, `weakDeps: ["^uses:build"]`},
	{`after: ["^build"]`, `after: ["^uses:build"]`},
	{`deps: ["^:build"]`, `deps: ["^~:build"]`},
	{`deps: ["lib#build"]`, `deps: ["lib:build"]`},
	{`deps: ["//lib:build"]`, `deps: ["lib:build"]`},
	{`deps: ["../lib:build"]`, `deps: ["lib:build"]`},
	{`deps: ["lib/build"]`, `deps: ["lib:build"]`},
	{`deps: ["@acme/lib#build"]`, `deps: ["lib:build"]`},
	{`deps: ["lib.build"]`, `deps: ["lib:build"]`},
	{`deps: [lib]`, `deps: [lib:build]`},
	{`deps: [gen]`, `deps: [~:gen]`},
	{`deps: [":gen"]`, `deps: ["~:gen"]`},
	{`deps: ["~gen"]`, `deps: ["~:gen"]`},
	{`deps: ["//#gen"]`, `deps: ["~:gen"]`},
	{`deps: [lint]`, `deps: [lib:lint]`},
	{`deps: ["*:lint"]`, `deps: ["^:lint"]`},
	{`deps: gen`, `deps: ["~:gen"]`},
	{`deps: [{target: gen}]`, `deps: [{task: "~:gen"}]`},
	{`dependsOn: ["^build"]`, `deps: ["^uses:build"]`},
	{`dependsOn: [gen, ^build, {target: lint, dependencies: true}]`, `deps: ["~:gen", "^uses:build", "^uses:lint"]`},
	{`dependsOn: [{target: build, projects: dependencies}]`, `deps: ["^uses:build"]`},
	{`depends_on: [gen, "lib#lint"]`, `deps: ["~:gen", "lib:lint"]`},
	{`needs: gen`, `deps: ["~:gen"]`},
	{`outputs: dist`, `outputs: ["dist"]`},
	{`outDir: dist`, `outputs: ["dist/"]`},
	{`outputs: ["{projectRoot}/dist"]`, `outputs: ["dist"]`},
	{`inputs: src/a`, `inputs: ["src/a"]`},
	{`inputs: ["$TURBO_ROOT$/lib/haz.yml"]`, `inputs: ["/lib/haz.yml"]`},
	{`inputs: ["$TURBO_DEFAULT$"]`, `inputs: ["$project"]`},
	{`inputs: ["{projectRoot}/src/*"]`, `inputs: ["src/*"]`},
	{`inputs: ["{workspaceRoot}/lib/*"]`, `inputs: ["/lib/*"]`},
	{`inputs: ["//lib/haz.yml"]`, `inputs: ["/lib/haz.yml"]`},
	{`inputs: ["./src/a"]`, `inputs: ["src/a"]`},
	{`inputs: [src/a, ^production]`, `inputs: [src/a]`},
	{`inputs: [{fileset: "{projectRoot}/src/*"}]`, `inputs: [src/*]`},
	{`sources: src/a`, `inputs: ["src/a"]`},
	{`env: [PATH, A=b]`, `env: {from_host: [PATH], override: {A: "b"}}`},
	{`environment: {A: b}`, `env: {override: {A: "b"}}`},
	{`env: {A: b}`, `env: {override: {A: "b"}}`},
	{`cache: no`, `cache: false`},
	{`cache: "false"`, `cache: false`},
	{`no_cache: true`, `cache: false`},
	{`lock: db`, `mutex: "db"`},
}

// The lines are mended by their hints, and the workspace is then right.
func TestHintsOfFilesAreFollowed(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.line, func(t *testing.T) {
			root := mistaken(t, m.line)
			for range 6 {
				said, ok := tryHaz(t, root, "check")
				d := firstWithHint(said)
				if d == nil {
					got := readFile(t, filepath.Join(root, "p/haz.yml"))
					if !ok || !strings.Contains(got, m.mended) {
						t.Errorf("the file is now\n%s\nwant %s in it; haz says\n%s", got, m.mended, said)
					}
					return
				}
				d.follow(t, root)
			}
			t.Errorf("still not right:\n%s", readFile(t, filepath.Join(root, "p/haz.yml")))
		})
	}
}

func mistaken(t *testing.T, line string) string {
	inputs := "inputs: [haz.yml]" // without any, haz has more to say
	if strings.HasPrefix(line, "inputs") || strings.HasPrefix(line, "sources") {
		inputs = ""
	}
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/lib, /p]\n")
	mustWrite(t, filepath.Join(root, "lib/haz.yml"), "name: lib\ntasks:\n  build: {shell: echo, inputs: [haz.yml]}\n  lint: {shell: echo, inputs: [haz.yml]}\n")
	mustWrite(t, filepath.Join(root, "p/haz.yml"), fmt.Sprintf(`name: p
tasks:
  gen: {shell: "true", inputs: [haz.yml]}
  build:
    shell: "true"
    %s
    %s
`, line, inputs))
	for _, f := range []string{"src/a", "src/b", "src/c.md"} {
		mustWrite(t, filepath.Join(root, "p", f), "text\n")
	}
	return root
}

// tryHaz runs haz in a folder and returns what it said, on both streams.
func tryHaz(t *testing.T, dir string, args ...string) (said string, ok bool) {
	t.Helper()
	haz, err := exec.LookPath("haz")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(haz, args...)
	if args[0] == "$" { // a line for a shell
		cmd = exec.Command("sh", "-c", args[1])
	}
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME=/home/me", "LC_ALL=C.UTF-8", "CI=", "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// told is a diagnostic as people read it.
type told struct {
	file         string
	line, column int
	hint         string
}

var (
	toldAt   = regexp.MustCompile(`^(\S+\.yml):(\d+):(\d+): `)
	toldHint = regexp.MustCompile(`^    hint: (.*)$`)
)

// firstWithHint is the first diagnostic with a hint; nil when there is none.
func firstWithHint(said string) *told {
	d := &told{}
	for line := range strings.SplitSeq(said, "\n") {
		if m := toldAt.FindStringSubmatch(line); m != nil {
			d.file = m[1]
			d.line, _ = strconv.Atoi(m[2])
			d.column, _ = strconv.Atoi(m[3])
		}
		if m := toldHint.FindStringSubmatch(line); m != nil {
			d.hint = m[1]
			return d
		}
	}
	return nil
}

var (
	instead = regexp.MustCompile(`^(?:did you mean|write|for a task of this project, write|for the task of every project, write|for the folder and all below it, write) "([^"]*)"\??(?: Which projects one uses .*)?$|name the task of it: "([^"]*)"$|^"([^"]*)" leaves this project out$`)
	keyText = regexp.MustCompile(`^(?:[^:]* belong to env: )?([a-zA-Z_]+: [^ ].*)$`)
)

// follow does in the file what the hint says.
func (d *told) follow(t *testing.T, root string) {
	t.Helper()
	name := filepath.Join(root, d.file)
	lines := strings.Split(readFile(t, name), "\n")
	line := lines[d.line-1]
	column := len(string([]rune(line)[:d.column-1]))
	indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
	key, _, _ := strings.Cut(strings.TrimSpace(line), ":")
	from, to := word(line, column)
	switch m := instead.FindStringSubmatch(d.hint); {
	case m != nil:
		line = line[:from] + m[1] + m[2] + m[3] + line[to:]
	case d.hint == "exclude: takes away what inputs select", strings.HasSuffix(d.hint, "remove it"), strings.HasPrefix(d.hint, "exclude: ") && key == "inputs":
		line = strings.NewReplacer(`, "`+line[from:to]+`"`, "", ", "+line[from:to], "").Replace(line)
		if strings.HasPrefix(d.hint, "exclude: ") {
			line += "\n" + indent + d.hint
		}
	case keyText.MatchString(d.hint):
		text, _, _ := strings.Cut(keyText.FindStringSubmatch(d.hint)[1], "    or    ")
		switch at := strings.Index(line, "{"); {
		case strings.HasPrefix(text, "task: "): // in the map of a dep
			line = line[:at+1] + text + line[strings.LastIndex(line, "}"):]
		case strings.HasPrefix(text, "override: ") && at >= 0:
			line = line[:at+1] + text + "}"
		default:
			line = indent + text
		}
	default:
		t.Fatalf("%s\nnobody can follow %q", strings.Join(lines, "\n"), d.hint)
	}
	if line == lines[d.line-1] {
		t.Fatalf("%q changes nothing in %s", d.hint, line)
	}
	lines[d.line-1] = line
	mustWrite(t, name, strings.Join(lines, "\n"))
}

// word is what stands around a place, to the quotes, commas, brackets and blanks that enclose it; a map counts whole.
func word(line string, at int) (from, to int) {
	if line[at] == '{' && line[at-1] == '[' {
		return at, strings.LastIndexByte(line, '}') + 1
	}
	if line[at] == '"' {
		at++
	}
	stop := "\"'[], "
	if strings.TrimSpace(line[:at]) == "" { // a key
		stop += ":"
	}
	for from = at; from > 0 && strings.IndexByte(stop, line[from-1]) < 0; from-- {
	}
	for to = at; to < len(line) && strings.IndexByte(stop, line[to]) < 0; to++ {
	}
	return from, to
}

// What people type first ends in a hint, and what that says to type works.
func TestHintsOfTheCommandLineAreFollowed(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, filepath.Join(root, ".haz/workspace.yml"), "projects: [/lib, /apps/web]\n")
	mustWrite(t, filepath.Join(root, "lib/haz.yml"), "name: lib\ntags: [go]\ntasks:\n  build: {shell: echo, inputs: [haz.yml]}\n  lint: {shell: echo, inputs: [haz.yml]}\n")
	mustWrite(t, filepath.Join(root, "apps/web/haz.yml"), "name: web\ntasks:\n  serve: {shell: echo, inputs: [haz.yml]}\n")
	mustWrite(t, filepath.Join(root, "none/x"), "")
	for _, typed := range []struct{ dir, args string }{
		{"", "build"}, {"", "lib:build"}, {"lib", "build"}, {"lib", "lint"}, {"lib", "web:serve"},
		{"", "rnu build"}, {"", "run biuld"}, {"", "run lib:biuld"}, {"", "run lbi:build"}, {"", "run ^:biuld"}, {"", "run [goo]:build"},
		{"", "run lib"}, {"", "run lib/"}, {"", "run ./lib"}, {"", "run /lib"}, {"lib", "run ."}, {"lib", "run ../apps/web"}, {"", "run lib:bulid*"}, {"", "run apps/web"}, {"", "run web"},
		{"", "run lib#build"}, {"", "run lib/build"}, {"", "run lib.build"}, {"", "run @acme/lib#build"}, {"", "run //lib:build"}, {"", "run ./lib:build"}, {"", "run //apps/web:serve"},
		{"", "run ^build"}, {"lib", "run ~build"}, {"", "run *:biuld"}, {"", "run l*:lnit"}, {"", "run lbi*:build"}, {"", "run --workspace --exclude=lib:biuld"}, {"", "run ~:build"}, {"", "run go:build"}, {"", "run [lib]:build"}, {"apps/web", "run build"}, {"", "run web:build"},
		{"lib", "run /home/me:build"}, {"", "run /home/me:build"}, {"", "run all"}, {"", "run /."}, {"", "run ./"}, {"lib", "run .."}, {"", "run apps/"}, {"", "run lib:"}, {"", "run :build"}, {"lib", "run :lint"}, {"", "run lib::build"},
		{"", "run BUILD"}, {"", "run lib:Build"}, {"", "run lib/haz.yml"}, {"", "run ROOT/lib"}, {"", "run ROOT/lib:build"}, {"", "run ROOT"}, {"", "run"}, {"lib", "run"}, {"none", "run"},
		{"", "run --dryrun lib:build"}, {"", "run --output-mode=bufered lib:build"}, {"", "cache clear --hep"}, {"", "run --forse lib:build"}, {"", "run -n lib:build"}, {"", "run lib:build --dry"}, {"", "run --filter=lib build"}, {"", "run --cwd lib build"}, {"", "list --no-color"}, {"", "ls"}, {"", "explain lib:build"}, {"", "validate"}, {"", "why lib/"},
		{"", "why lib"}, {"", "why ^:lin"}, {"", "graph lib"}, {"", "run lib:build --parallel=2"},
	} {
		t.Run(typed.dir+"$ haz "+typed.args, func(t *testing.T) {
			args := strings.Fields(strings.ReplaceAll(typed.args, "ROOT", root))
			said, ok := tryHaz(t, filepath.Join(root, typed.dir), args...)
			if ok {
				t.Fatalf("that works:\n%s", said)
			}
			d := firstWithHint(said)
			if d == nil {
				t.Fatalf("no hint:\n%s", said)
			}
			then := followCommand(args, said, d.hint)
			if then == nil {
				t.Fatalf("nobody can follow %q", d.hint)
			}
			for _, next := range then {
				if still, ok := tryHaz(t, filepath.Join(root, typed.dir), next...); !ok {
					t.Errorf("%s\nfollowed by haz %q:\n%s", said, next, still)
				}
			}
		})
	}
}

var (
	hintCommand = regexp.MustCompile(`\bhaz ((?:run|list|why|check|cache|graph|query|init)(?: (?:-[^ ,;]*|[^ ,;()]*[:.*A-Z~][^ ,;]*|[a-z]+$))*)`)
	hintWord    = regexp.MustCompile(`(?:did you mean|write|name the project:|has a task of that name:) "([^"]*)"`)
	saidWord    = regexp.MustCompile(`"([^"]*)"`)
)

// followCommand is what somebody types who does what the hint says; several commands where it gives a choice.
func followCommand(args []string, said, hint string) [][]string {
	var then [][]string
	if m := hintWord.FindStringSubmatch(hint); m != nil {
		for _, wrong := range saidWord.FindAllStringSubmatch(said, -1) {
			for i, a := range args {
				option, value, attached := strings.Cut(a, "=")
				next := append([]string{}, args...)
				switch {
				case a == wrong[1]:
					next[i] = m[1]
				case attached && option == wrong[1]:
					next[i] = m[1] + "=" + value
				case attached && value == wrong[1]:
					next[i] = option + "=" + m[1]
				default:
					continue
				}
				return [][]string{next}
			}
		}
	}
	if i := strings.Index(hint, "t=$("); i >= 0 {
		then, hint = append(then, []string{"$", hint[i:]}), hint[:i]
	}
	for _, m := range hintCommand.FindAllStringSubmatch(hint, -1) {
		next := strings.Fields(m[1])
		for i := range next {
			if next[i] == "TASK" {
				next[i] = "lib:build"
			}
		}
		then = append(then, next)
	}
	return then
}
