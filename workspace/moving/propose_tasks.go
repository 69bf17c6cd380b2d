package moving

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/infer"
)

// settingsOfNode are files in the root that tools of packages look at, wherever they are started.
var settingsOfNode = []string{"*.config.*", "tsconfig*.json", "jsconfig.json", ".eslintrc*", ".prettierrc*", ".babelrc*", ".stylelintrc*", ".oxlintrc*", ".swcrc", ".npmrc", "biome.json*",
	"vitest.workspace.*", "jest.preset.*"}

// node completes the scripts of packages: each comes behind `build` of what its package uses, and those that look at something are kept.
// What a root of several packages runs may reach into all of them, which its key does not (AUX-038).
func (p *proposal) node(of []infer.Project) (tasks []*task) {
	p.draft.scripts = true
	p.draft.defaults.pass = let
	relates, used := p.relates("node")
	root := of[0].Dir == "/" && len(of) > 1
	var settings []string
	if len(of) > 1 || of[0].Dir != "/" {
		settings = p.matching(settingsOfNode)
	}
	seen := map[string]bool{}
	for _, f := range of {
		builds := false
		for _, script := range f.Scripts {
			builds = builds || script.Name == "build"
			if workspace.CheckFamilyName(script.Name) != nil || seen[script.Name] && f.Dir != "/" {
				continue
			}
			if root && f.Dir == "/" {
				own := p.project("/")
				own.tasks = append(own.tasks, p.rootScript(script.Name, of[1:]))
				continue
			}
			seen[script.Name] = true
			t := &task{name: script.Name}
			t.inherit = true
			if relates && !serves(script.Name) {
				t.deps = []string{"^uses:build"}
			}
			switch {
			case onlyLooks(script.Name):
				t.inputs, t.cached = settings, true
			case serves(script.Name):
				t.noCache = true
			default:
				t.noCache, t.comments = true, []string{keepIt}
			}
			tasks = append(tasks, t)
		}
		if used[f.Dir] && !builds {
			own := p.project(f.Dir)
			own.tasks = append(own.tasks, passedThrough("build", []string{"$project"}, []string{"^uses:build"}))
		}
	}
	slices.SortFunc(tasks, func(a, b *task) int { return strings.Compare(a.name, b.name) })
	return tasks
}

// rootScript is a script of a root with members. Where it starts this very script in all of them it would come on top of their own tasks:
// then they are what it depends on.
func (p *proposal) rootScript(name string, members []infer.Project) *task {
	t := &task{name: name}
	t.noCache = true
	in := func(f infer.Project) bool {
		return slices.ContainsFunc(f.Scripts, func(s infer.Script) bool { return s.Name == name })
	}
	if text, _ := p.json("/package.json").Get("scripts").Get(name).Text(); !delegates(text, name) || !slices.ContainsFunc(members, in) {
		t.inherit = true
		return t
	}
	t.comments = []string{everyPackage}
	t.command, t.deps = []string{"true"}, []string{"^~:" + name}
	return t
}

// delegates reports whether a script is one call of a program that runs the script of this name in all packages.
func delegates(text, name string) bool {
	words := slices.DeleteFunc(strings.Fields(text), func(w string) bool { return w == "npx" || w == "run" || w == "foreach" })
	if len(words) == 0 || !slices.Contains(words, name) || strings.ContainsAny(text, "&|;<>$") {
		return false
	}
	every := map[string][]string{"turbo": {name}, "lerna": {name}, "nx": {"run-many"}, "npm": {"--workspaces", "-ws"}, "pnpm": {"-r", "--recursive", "recursive"}, "yarn": {"workspaces"}}[words[0]]
	all := false
	for _, w := range words[1:] {
		all = all || slices.Contains(every, w)
		switch {
		case strings.HasPrefix(w, "--filter") || strings.HasPrefix(w, "-F") || strings.HasPrefix(w, "--scope") || strings.HasPrefix(w, "--projects") || strings.HasPrefix(w, "-p"):
			return false
		case w != name && w[0] != '-' && !slices.Contains(every, w):
			return false
		}
	}
	return all
}

// matching are those of the patterns of names that match a file in the root.
func (p *proposal) matching(patterns []string) (found []string) {
	entries := p.disk.List("/")
	for _, pattern := range patterns {
		if slices.ContainsFunc(entries, func(e fsys.Entry) bool { is, _ := path.Match(pattern, e.Name); return is }) {
			found = append(found, "/"+pattern)
		}
	}
	return found
}

// golang builds, tests and vets modules. What `go build` would make of a program is thrown away, so that there is nothing to keep.
func (p *proposal) golang([]infer.Project) []*task {
	var deps []string
	if relates, _ := p.relates("go"); relates {
		deps = []string{"^uses:build"}
	}
	one := func(name string, command ...string) *task {
		t := &task{name: name}
		t.command, t.deps = append(command, "./..."), deps
		t.inputs = append([]string{"$project"}, p.pinned("go.work.sum", "go.work")...)
		t.fromHost = []string{"CGO_ENABLED", "GOARCH", "GOEXPERIMENT", "GOFLAGS", "GOOS", "GOTOOLCHAIN"}
		t.pass = []string{"CI", "GOCACHE", "GOINSECURE", "GOMODCACHE", "GONOPROXY", "GONOSUMDB", "GOPATH", "GOPRIVATE", "GOPROXY", "GOSUMDB"}
		return t
	}
	build := one("build", "go", "build", "-o", "/dev/null")
	build.comments = []string{"whether it compiles; for a program: command: [go, build, -o, bin/, ./...], and outputs: [bin/]"}
	return []*task{build, one("test", "go", "test"), one("vet", "go", "vet")}
}

// cargo builds and tests packages. What it makes lies in a folder of all of them, and is its own cache: so a build is not kept.
func (p *proposal) cargo([]infer.Project) []*task {
	var deps []string
	if relates, _ := p.relates("cargo"); relates {
		deps = []string{"^uses:build"}
	}
	one := func(name string) *task {
		t := &task{name: name}
		t.command, t.deps = []string{"cargo", name}, deps
		t.inputs = append([]string{"$project"}, p.pinned("Cargo.lock", "Cargo.toml", "rust-toolchain", "rust-toolchain.toml", ".cargo/config.toml")...)
		t.fromHost = []string{"CARGO_BUILD_TARGET", "RUSTFLAGS", "RUSTUP_TOOLCHAIN"}
		t.pass = []string{"CARGO_HOME", "CARGO_TARGET_DIR", "CI", "RUSTUP_HOME"}
		t.tools = "[{name: cargo, probe: [cargo, --version, --verbose]}]"
		return t
	}
	build := one("build")
	build.noCache, build.comments = true, []string{"cargo keeps what it makes in a folder of all packages"}
	return []*task{build, one("test")}
}

// python tests projects that have tests, and lints all, where the tools for it are named. What they use is in the keys by a task that does
// nothing: nothing is built here.
func (p *proposal) python(of []infer.Project) (tasks []*task) {
	relates, _ := p.relates("uv")
	root := of[0].Dir == p.base && len(of) > 1
	one := func(name string, command ...string) *task {
		t := &task{name: name}
		t.command = append([]string{"uv", "run"}, command...)
		t.inputs = append([]string{"$project"}, p.pinned("uv.lock", "pyproject.toml", ".python-version", "ruff.toml", "pytest.ini")...)
		t.exclude = []string{"**/__pycache__/**", "**/*.egg-info/**"}
		t.pass = []string{"CI", "UV_*"}
		if relates {
			t.deps = []string{"^uses:sources"}
		}
		return t
	}
	if relates {
		sources := passedThrough("sources", []string{"$project"}, []string{"^uses:sources"})
		sources.comments = []string{"nothing is made of them; what uses the project depends on its files"}
		sources.exclude = []string{"**/__pycache__/**", "**/*.egg-info/**"}
		tasks = append(tasks, sources)
	}
	everywhere := []string{}
	if len(of) > 1 {
		everywhere = []string{"--all-packages"} // the environment is one, and the tools are often named in the root
	}
	if p.names(of, "ruff") {
		tasks = append(tasks, one("lint", append(everywhere, "ruff", "check")...))
		if root && p.at[p.base][0].Reader == "uv" { // it looks into the folders of the others, which are not in its key
			own := p.project(p.base)
			own.tasks = append(own.tasks, &task{name: "lint", body: body{inherit: true, noCache: true}})
		}
	}
	if p.names(of, "pytest") {
		for _, f := range of {
			folder := slices.IndexFunc([]string{"tests", "test"}, func(name string) bool { return p.disk.RealDir(path.Join(f.Dir, name)) != "" })
			if folder < 0 {
				continue
			}
			t := one("test", append(everywhere, "pytest")...)
			if root && f.Dir == p.base { // the tests of the others are theirs
				t.command = append(t.command, []string{"tests", "test"}[folder])
			}
			t.name = p.free(f, t.name, "python")
			own := p.project(f.Dir)
			own.tasks = append(own.tasks, t)
		}
	}
	return tasks
}

// names reports whether a manifest among these has a word in it.
func (p *proposal) names(of []infer.Project, word string) bool {
	return slices.ContainsFunc(of, func(f infer.Project) bool {
		t, _ := p.disk.Manifest(f.Manifest)
		return t != nil && strings.Contains(string(t.Bytes), word)
	})
}
