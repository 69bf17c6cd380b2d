package moving

import (
	"path"
	"slices"
	"strings"

	shell "github.com/haz-build/haz/workspace/script"
)

// What is known of commands that many repositories have: whether all that they leave behind is known. Where that holds for each command
// of a script, its result can be kept without asking anybody. Nothing is guessed: a program, or an option, that is not here makes a script
// one of which nothing is known.

// effect is what a command leaves behind in the workspace. A cache of its own in the home of its user is nothing.
type effect struct {
	known   bool
	outputs []string // relative to where it runs
	edits   bool     // it changes files of the project, whatever it is called
	own     bool     // it builds the package of the folder in which it runs, there
}

var nothing = effect{known: true}

// effectOf is that of a command. git, which is about more than files, has none that is known.
func effectOf(words []shell.Word) effect {
	args, ok := unwrapped(words)
	if !ok {
		return effect{}
	}
	name := path.Base(args[0].Text)
	if r, ok := rules[name]; ok {
		return r(args[1:])
	}
	return effect{}
}

// unwrapped is the command behind `env A=b`, `time` and the like, with `go run PACKAGE` as the program that it builds.
func unwrapped(words []shell.Word) ([]shell.Word, bool) {
	for len(words) > 0 && words[0].Known {
		switch words[0].Text {
		case "env", "time", "nice", "command", "exec":
			words = words[1:]
			for len(words) > 0 && strings.Contains(words[0].Text, "=") && !strings.HasPrefix(words[0].Text, "-") {
				words = words[1:]
			}
			continue
		case "go":
			if len(words) > 2 && words[1].Known && words[1].Text == "run" && words[2].Known && strings.Contains(words[2].Text, ".") && !strings.HasPrefix(words[2].Text, ".") {
				name, _, _ := strings.Cut(words[2].Text, "@")
				if last := path.Base(name); len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
					name = path.Dir(name)
				}
				return append([]shell.Word{{Text: path.Base(name), Known: true}}, words[3:]...), true
			}
		}
		return words, true
	}
	return nil, false
}

// rules are what is known of programs, by their names.
var rules = map[string]func(args []shell.Word) effect{}

func init() {
	for _, name := range strings.Fields(`test [ [[ echo printf cat grep egrep fgrep head tail sort uniq wc cut tr ls diff cmp true false : cd pwd export set unset exit read which type hash
		dirname basename sleep date uname seq jq stat expr local return shift readlink realpath declare typeset readonly break continue
		staticcheck revive errcheck gosec ineffassign misspell shellcheck yamllint markdownlint markdownlint-cli2 hadolint actionlint typos htmltest mypy flake8 pylint jv`) {
		rules[name] = func([]shell.Word) effect { return nothing }
	}
	for name, options := range map[string]string{
		"golangci-lint": "--fix --output. --out", "gofmt": "-w", "gofumpt": "-w", "goimports": "-w", "sed": "-i --in-place", "awk": "-i", "yq": "-i --inplace",
		"find": "-delete -exec -execdir -ok -fprint -fls", "eslint": "--fix -o --output-file", "prettier": "-w --write", "ruff": "--fix --output-file", "black": "", "isort": "",
		"stylelint": "--fix -o", "biome": "--write --apply --fix", "shfmt": "-w --write", "pytest": "--cov --junit --basetemp --html", "govulncheck": "",
	} {
		needs := map[string]string{"prettier": "--check -c --list-different -l", "black": "--check", "isort": "--check -c --check-only", "ruff": "check format"}[name]
		rules[name] = func(args []shell.Word) effect {
			if has(args, strings.Fields(options)...) || needs != "" && !has(args, strings.Fields(needs)...) || name == "golangci-lint" && has(args, "fmt", "migrate", "cache") ||
				name == "ruff" && has(args, "format") && !has(args, "--check", "--diff") {
				return effect{edits: has(args, strings.Fields(options)...)}
			}
			return nothing
		}
	}
	rules["tsc"] = func(args []shell.Word) effect { return effect{known: has(args, "--noEmit")} }
	rules["mkdir"] = func(args []shell.Word) effect { return nothing } // what is put there counts
	for _, name := range strings.Fields("cc gcc g++ c++ clang clang++") {
		rules[name] = func(args []shell.Word) effect {
			if has(args, "-MD", "-MMD", "-MF", "-save-temps", "--coverage", "-ftest-coverage") {
				return effect{}
			}
			return optionEffect(args, true, "-o")
		}
	}
	rules["go"] = goEffect
	rules["gotestsum"] = gotestsumEffect
	rules["cargo"] = cargoEffect
}

// has reports whether one of the options is among the arguments, alone or with what it is set to.
func has(args []shell.Word, options ...string) bool {
	return slices.ContainsFunc(args, func(a shell.Word) bool {
		return slices.ContainsFunc(options, func(o string) bool {
			return a.Text == o || strings.HasPrefix(a.Text, o) && (strings.HasPrefix(o, "--") || strings.HasPrefix(a.Text, o+"="))
		})
	})
}

// goTest are options of go test that name a file.
var goTest = []string{"-coverprofile", "-cpuprofile", "-memprofile", "-blockprofile", "-mutexprofile", "-trace", "-o"}

func goEffect(args []shell.Word) effect {
	if len(args) == 0 || !args[0].Known {
		return effect{}
	}
	rest := args[1:]
	switch args[0].Text {
	case "vet", "list", "version", "doc":
		return nothing
	case "env":
		return effect{known: !has(rest, "-w", "-u")}
	case "mod":
		if len(rest) > 0 && (rest[0].Text == "download" || rest[0].Text == "verify" || rest[0].Text == "graph" || rest[0].Text == "why") {
			return nothing
		}
		return effect{edits: true}
	case "generate", "fmt", "fix", "get", "work":
		return effect{edits: true}
	case "test":
		return testEffect(rest)
	case "build":
		return buildEffect(rest)
	case "tool":
		if len(rest) > 0 && rest[0].Text == "cover" {
			if has(rest, "-html") {
				return optionEffect(rest, true, "-o")
			}
			return optionEffect(rest, false, "-o")
		}
	}
	return effect{}
}

func testEffect(args []shell.Word) effect {
	if has(args, "-outputdir", "--outputdir") {
		return effect{}
	}
	return optionEffect(args, has(args, "-c"), goTest...)
}

// optionEffect is that of a command which makes the files that options name, and no other; must says that it makes one in any case.
func optionEffect(args []shell.Word, must bool, options ...string) effect {
	e := nothing
	for i, a := range args {
		if a.Known && a.Text == "-args" {
			break
		}
		name, value, set := strings.Cut(a.Text, "=")
		if strings.HasPrefix(name, "--") {
			name = name[1:]
		}
		if !slices.Contains(options, name) {
			continue
		}
		file := shell.Word{Text: value, Known: a.Known}
		if !set {
			if i+1 == len(args) {
				return effect{}
			}
			file = args[i+1]
		}
		if !file.Known || file.Text == "" {
			return effect{}
		}
		if file.Text != "/dev/null" {
			e.outputs = append(e.outputs, file.Text)
		}
		must = false
	}
	if must {
		return effect{}
	}
	return e
}

// withValue are options of go build that take the next word.
var withValue = set("-o -p -C -asmflags -buildmode -buildvcs -compiler -gccgoflags -gcflags -installsuffix -ldflags -mod -modfile -overlay -pgo -pkgdir -tags -toolexec -covermode -coverpkg")

func set(text string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(text) {
		m[w] = true
	}
	return m
}

// buildEffect is that of go build. What it makes of one package it calls by the folder; of several, nothing.
func buildEffect(args []shell.Word) effect {
	var packages []shell.Word
	to, named := shell.Word{}, false
	for i := 0; i < len(args); i++ {
		a := args[i]
		if !strings.HasPrefix(a.Text, "-") {
			packages = append(packages, a)
			continue
		}
		name, value, isSet := strings.Cut(a.Text, "=")
		if strings.HasPrefix(name, "--") {
			name = name[1:]
		}
		if name == "-C" {
			return effect{}
		}
		switch {
		case name == "-o" && isSet:
			to, named = shell.Word{Text: value, Known: a.Known}, true
		case withValue[name] && !isSet:
			if i++; i == len(args) {
				return effect{}
			}
			if name == "-o" {
				to, named = args[i], true
			}
		}
	}
	switch {
	case named && (!to.Known || to.Text == "" || strings.HasPrefix(to.Text, "/") && to.Text != "/dev/null"):
		return effect{}
	case named && to.Text == "/dev/null":
		return nothing
	case named && strings.HasSuffix(to.Text, "/"):
		return intoFolder(to.Text, packages)
	case named:
		return effect{known: true, outputs: []string{to.Text}}
	case len(packages) > 1, len(packages) == 1 && strings.HasSuffix(packages[0].Text, "..."):
		return effect{known: packages[0].Known}
	case len(packages) == 0, packages[0] == (shell.Word{Text: ".", Known: true}):
		return effect{own: true}
	case packages[0].Known && strings.HasPrefix(packages[0].Text, "./") && path.Base(packages[0].Text) != ".":
		return effect{known: true, outputs: []string{path.Base(packages[0].Text)}}
	}
	return effect{}
}

// intoFolder are the programs that go build puts into a folder.
func intoFolder(folder string, packages []shell.Word) effect {
	e := nothing
	for _, p := range packages {
		base := path.Base(p.Text)
		switch {
		case !p.Known:
			return effect{}
		case base == "...":
			e.outputs = append(e.outputs, folder+"*")
		case base == ".":
			return effect{}
		default:
			e.outputs = append(e.outputs, folder+base)
		}
	}
	e.known = len(packages) > 0
	return e
}

// gotestsumEffect is that of gotestsum, whose arguments behind `--` are those of go test.
func gotestsumEffect(args []shell.Word) effect {
	own, rest := args, []shell.Word{}
	if at := slices.IndexFunc(args, func(w shell.Word) bool { return w.Text == "--" && w.Known }); at >= 0 {
		own, rest = args[:at], args[at+1:]
	}
	a := optionEffect(own, false, "-junitfile", "-jsonfile", "-jsonfile-timing-events")
	b := testEffect(rest)
	if has(own, "--watch", "--post-run-command", "--raw-command") {
		return effect{}
	}
	return effect{known: a.known && b.known, outputs: append(a.outputs, b.outputs...)}
}

// cargoEffect: what cargo keeps in target is its own cache, and of what it builds nothing says which file is wanted.
func cargoEffect(args []shell.Word) effect {
	for len(args) > 0 && strings.HasPrefix(args[0].Text, "+") {
		args = args[1:]
	}
	if len(args) == 0 || !args[0].Known {
		return effect{}
	}
	switch args[0].Text {
	case "test", "check", "clippy", "nextest", "audit", "deny", "machete":
		return effect{known: !has(args, "--fix", "--profile-time"), edits: has(args, "--fix")}
	case "fmt":
		return effect{known: has(args, "--check"), edits: !has(args, "--check")}
	}
	return effect{}
}

// asksGit reports whether a substitution asks git something, and changes nothing.
func asksGit(a shell.Ask) bool {
	is := false
	for _, c := range a.Commands {
		if len(c.Words) > 1 && c.Words[0] == (shell.Word{Text: "git", Known: true}) {
			switch c.Words[1].Text {
			case "describe", "rev-parse", "log", "rev-list", "show", "symbolic-ref", "branch", "status", "diff", "diff-index", "config", "remote", "tag", "ls-files", "name-rev", "for-each-ref":
				is = true
				continue
			}
			return false
		}
		if !effectOf(c.Words).known {
			return false
		}
	}
	return is
}

// lookers, by any part of a name: a task that looks at the project and makes nothing that others read, unless it says so. doers, likewise:
// one that does something else as well.
var (
	looking = set("test tests lint linter check checks typecheck types vet unit e2e integration verify validate fmtcheck staticcheck gofmt golint govet golangci gosec govulncheck eslint shellcheck yamllint actionlint markdownlint ruff mypy")
	doing   = set("fix watch install update upgrade setup clean generate gen build deps dependencies format fmt run serve dev start stop deploy release publish push init tools tool update-golden golden bench benchmark report open html cover coverage up down env")
)

// looks reports whether a task, by its name, looks at something and does nothing else.
func looks(name string) bool {
	is := false
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(":._-/", r) }) {
		part = strings.ToLower(part)
		if doing[part] {
			return false
		}
		is = is || looking[part]
	}
	return is
}
