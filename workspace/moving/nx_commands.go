package moving

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/infer/node"
	shell "github.com/haz-build/haz/workspace/script"
)

// nxExecutors are those that become a command of the tool that they start, where all that the target says can be said to that tool; ok is
// false where it cannot. Old names of them are in nxOlder.
var nxExecutors map[string]func(n *nx, p *nxProject, t *nxTarget, k *task) (ok bool)

func init() {
	nxExecutors = map[string]func(n *nx, p *nxProject, t *nxTarget, k *task) (ok bool){
		nxShorthand:     (*nx).runCommands,
		"nx:run-script": (*nx).runScript,
		"nx:noop":       (*nx).noop,
		"@nx/jest:jest": toolRunner("jest", map[string]string{"jestConfig": "--config=", "passWithNoTests": "--passWithNoTests", "ci": "--ci", "codeCoverage": "--coverage", "coverage": "--coverage", "runInBand": "--runInBand",
			"maxWorkers": "--maxWorkers=", "testTimeout": "--testTimeout=", "silent": "--silent", "coverageDirectory": "--coverageDirectory=", "testEnvironment": "--env="}),
		"@nx/eslint:lint": toolRunner("eslint", map[string]string{"lintFilePatterns": "", "eslintConfig": "--config=", "maxWarnings": "--max-warnings=", "quiet": "--quiet", "fix": "--fix", "noEslintrc": "--no-eslintrc",
			"outputFile": "--output-file=", "format": "--format=", "cache": "--cache", "reportUnusedDisableDirectives": "--report-unused-disable-directives-severity="}),
		"@nx/vite:build":            toolRunner("vite build", map[string]string{"outputPath": "--outDir=", "configFile": "--config=", "mode": "--mode=", "emptyOutDir": "--emptyOutDir"}),
		"@nx/vite:test":             toolRunner("vitest run", map[string]string{"configFile": "--config=", "config": "--config=", "reportsDirectory": "--coverage.reportsDirectory=", "passWithNoTests": "--passWithNoTests", "mode": "--mode=", "coverage": "--coverage"}),
		"@nx/playwright:playwright": toolRunner("playwright test", map[string]string{"config": "--config=", "grep": "--grep="}),
	}
}

// nxOlder are the names that executors had before.
var nxOlder = map[string]string{
	"@nrwl/workspace:run-commands": nxShorthand, "@nx/workspace:run-commands": nxShorthand, "@nrwl/workspace:run-script": "nx:run-script", "@nrwl/workspace:noop": "nx:noop",
	"@nrwl/jest:jest": "@nx/jest:jest", "@nx/linter:eslint": "@nx/eslint:lint", "@nrwl/linter:eslint": "@nx/eslint:lint", "@nrwl/vite:build": "@nx/vite:build", "@nrwl/vite:test": "@nx/vite:test",
	"@nx/vitest:test": "@nx/vite:test",
}

// nxPaths are options that name a file or folder, from the root of the workspace.
var nxPaths = set("jestConfig eslintConfig outputPath configFile config coverageDirectory reportsDirectory outputFile lintFilePatterns")

// carryOut gives a task what it runs: the command of the tool, or nx itself, which is said once for each executor.
func (n *nx) carryOut(p *nxProject, t *nxTarget, configuration string, k *task) {
	executor := t.executor
	if now := nxOlder[executor]; now != "" {
		executor = now
	}
	if run := nxExecutors[executor]; run != nil && run(n, p, t, k) {
		return
	}
	of := p.name + ":" + t.name
	if configuration != "" {
		of += ":" + configuration
	}
	k.command = append(n.start("nx"), "run", of, "--skip-nx-cache")
	if n.since(19, 6) {
		k.command = append(k.command, "--exclude-task-dependencies")
	}
	k.override = append(k.override, [2]string{"NX_DAEMON", "false"})
	say := diag.Quote(executor) + " is carried out by nx, without its cache"
	if executor == "" {
		say = "nothing here says what this target runs: nx carries it out, without its cache"
	}
	if n.once("executor " + executor) {
		k.notes = append(k.notes, note{t.place, say})
	}
}

// start is the command that starts a program of an installed package.
func (n *nx) start(program string) []string {
	switch n.manager {
	case "pnpm":
		return []string{"pnpm", "exec", program}
	case "yarn":
		return []string{"yarn", "run", program}
	case "bun":
		return []string{"bunx", program}
	}
	return []string{"npx", program}
}

// since reports whether the version of nx that the root asks for is at least this one. One that is not said is taken for a new one.
func (n *nx) since(major, minor int) bool {
	manifest := n.json("/package.json")
	for _, list := range []string{"devDependencies", "dependencies"} {
		for _, name := range []string{"nx", "@nrwl/workspace"} {
			text, _ := manifest.Get(list).Get(name).Text()
			has := numbers(text)
			if len(has) > 0 && (has[0] < major || has[0] == major && len(has) > 1 && has[1] < minor) {
				return false
			}
		}
	}
	return true
}

// numbers are those at the front of a version, "^19.6.0-beta.1" being 19, 6, 0.
func numbers(version string) (list []int) {
	for part := range strings.SplitSeq(strings.TrimLeft(version, "^~>=v "), ".") {
		number, digits := 0, 0
		for ; digits < len(part) && digits < 6 && part[digits] >= '0' && part[digits] <= '9'; digits++ {
			number = 10*number + int(part[digits]-'0')
		}
		if digits == 0 {
			break
		}
		if list = append(list, number); digits < len(part) {
			break
		}
	}
	return list
}

func (n *nx) noop(_ *nxProject, _ *nxTarget, k *task) bool {
	k.command = []string{"true"}
	return true
}

func (n *nx) runScript(_ *nxProject, t *nxTarget, k *task) bool {
	script := t.option("script")
	if script == "" {
		script = t.name
	}
	k.command = n.run(script)
	return true
}

// runCommands are the commands of a target as a script: one after the other, or side by side, as the target has it.
func (n *nx) runCommands(p *nxProject, t *nxTarget, k *task) bool {
	known := set("command commands cwd parallel args env envFile forwardAllArgs color readyWhen description usePty tty streamOutput verbose")
	var lines []string
	args := n.arguments(p, t, known)
	each := func(v *node.Value, forwards bool) bool {
		text, ok := v.Text()
		if list, is := v.Items(); is {
			var words []string
			for _, w := range list {
				word, _ := w.Text()
				words = append(words, word)
			}
			text, ok = strings.Join(words, " "), true
		}
		if !ok || strings.TrimSpace(text) == "" {
			return false
		}
		text, filled := n.filled(p, t, text)
		if forwards && !filled {
			text += args + ` "$@"`
		}
		lines = append(lines, text)
		return true
	}
	all := true
	if is, ok := t.options["forwardAllArgs"].Value.Bool(); ok {
		all = is
	}
	side, given := t.options["parallel"].Value.Bool()
	if c := t.options["command"].Value; c != nil {
		if side = false; !each(c, all) {
			return false
		}
	} else {
		list, _ := t.options["commands"].Value.Items()
		for _, v := range list {
			forwards := all
			if v.IsObject() {
				if is, ok := v.Get("forwardAllArgs").Bool(); ok {
					forwards = is
				}
				v = v.Get("command")
			}
			if !each(v, forwards) {
				return false
			}
		}
		side = (side || !given) && len(lines) > 1
	}
	if len(lines) == 0 {
		return false
	}
	n.shell(p, t, lines, side, k)
	return true
}

// arguments are what a target puts behind its commands.
func (n *nx) arguments(p *nxProject, t *nxTarget, known map[string]bool) string {
	text := ""
	var names []string
	for name := range t.options {
		if !known[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		v := t.options[name].Value
		value, ok := v.Text()
		if _, list := v.Items(); !ok && (list || v.IsObject()) {
			continue
		}
		if !ok {
			value = v.Source()
		}
		text += " --" + name + "=" + diag.ShellWord(n.tokens(p, value))
	}
	v := t.options["args"].Value
	if one, ok := v.Text(); ok {
		text += " " + n.tokens(p, one)
	}
	if list, ok := v.Items(); ok {
		for _, w := range list {
			word, _ := w.Text()
			text += " " + n.tokens(p, word)
		}
	}
	return text
}

// filled is a command with {args.NAME} filled in by what the target says; was tells whether there was one, after which nothing comes behind it.
func (n *nx) filled(p *nxProject, t *nxTarget, text string) (out string, was bool) {
	for {
		before, rest, found := strings.Cut(text, "{args.")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return n.tokens(p, text), was
		}
		v, value := t.options[name].Value, ""
		if v != nil {
			if value, _ = v.Text(); value == "" {
				value = v.Source()
			}
		}
		text, was = before+value+after, true
	}
}

// tokens fills in what nx does in options: folders are from the root of the workspace.
func (n *nx) tokens(p *nxProject, text string) string {
	dir := strings.TrimPrefix(p.dir, "/")
	if dir == "" {
		dir = "."
	}
	return strings.NewReplacer("{projectRoot}", dir, "{projectName}", p.name, "{workspaceRoot}/", "", "{workspaceRoot}", ".").Replace(text)
}

// shell makes lines the script of a task, in the folder and with the variables that the target says.
func (n *nx) shell(p *nxProject, t *nxTarget, lines []string, side bool, k *task) {
	var head []string
	head = append(head, `PATH="`+n.binaries(p)+`$PATH"`)
	if dir := path.Join("/", n.tokens(p, t.option("cwd"))); dir != p.dir {
		head = append(head, strings.TrimSuffix(`cd "$HAZ_WORKSPACE_ROOT"`+diag.ShellWord(dir), "/"))
	}
	if side {
		var waits []string
		for i, l := range lines {
			name := "p" + string(rune('a'+i%26))
			if i >= 26 {
				name += string(rune('a' + i/26))
			}
			lines[i] = "(" + l + ") & " + name + "=$!"
			waits = append(waits, "wait $"+name)
		}
		lines = append(lines, strings.Join(waits, " && "))
	}
	k.shell = strings.Join(append(head, lines...), "\n")
	k.fromHost = append(k.fromHost, n.variables(strings.Join(lines, "\n"))...)
	for name, f := range n.optionFields(t, "env") {
		if text, ok := f.Value.Text(); ok && workspace.CheckEnvName(name) == nil {
			k.override = append(k.override, [2]string{name, n.tokens(p, text)})
		}
	}
	slices.SortFunc(k.override, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	if file := t.option("envFile"); file != "" {
		k.files = append(k.files, path.Join("/", n.tokens(p, file)))
	}
}

// optionFields are the keys of an option that is an object.
func (n *nx) optionFields(t *nxTarget, name string) map[string]node.Field {
	fields := map[string]node.Field{}
	for key, f := range t.options[name].Value.Fields() {
		fields[key] = f
	}
	return fields
}

// binaries are the folders in which programs of installed packages lie, as nx puts them into PATH.
func (n *nx) binaries(p *nxProject) string {
	text := "$HAZ_WORKSPACE_ROOT/node_modules/.bin:"
	if p.dir != "/" && (p.pkg != nil || n.disk.Has(path.Join(p.dir, "package.json"))) {
		text = "$HAZ_PROJECT_ROOT/node_modules/.bin:" + text
	}
	return text
}

// variables are those of the host that a script reads.
func (n *nx) variables(text string) []string {
	study, ok := shell.Look(text)
	if !ok {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(study.Variables), func(name string) bool { return byDefault(name) || workspace.CheckEnvName(name) != nil })
}

// toolRunner makes the command of a tool, in the folder of the project. An option that is not among the flags cannot be said to the tool.
func toolRunner(command string, flags map[string]string) func(n *nx, p *nxProject, t *nxTarget, k *task) bool {
	return func(n *nx, p *nxProject, t *nxTarget, k *task) bool {
		var words, behind []string
		names := make([]string, 0, len(t.options))
		for name := range t.options {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			flag, known := flags[name]
			v := t.options[name].Value
			values := []*node.Value{v}
			if list, ok := v.Items(); ok {
				values = list
			}
			if !known || v.IsObject() {
				return false
			}
			for _, v := range values {
				text, is := v.Text()
				if !is {
					text = v.Source()
				}
				switch {
				case text == "false" && !strings.HasSuffix(flag, "="):
				case text == "true" && flag != "" && !strings.HasSuffix(flag, "="):
					words = append(words, flag)
				case !strings.HasSuffix(flag, "=") && flag != "":
					return false
				default:
					if text = n.tokens(p, text); nxPaths[name] {
						text = from(p.dir, path.Join("/", text))
					}
					if flag == "" {
						behind = append(behind, diag.ShellWord(text))
					} else {
						words = append(words, flag+diag.ShellWord(text))
					}
				}
			}
		}
		if command == "eslint" && len(behind) == 0 {
			behind = []string{"."}
		}
		k.shell = strings.Join([]string{`PATH="` + n.binaries(p) + `$PATH"`, strings.Join(slices.Concat([]string{command}, words, behind, []string{`"$@"`}), " ")}, "\n")
		return true
	}
}

// from is a path of the workspace as it is written in a folder of it.
func from(dir, name string) string {
	if name == dir {
		return "."
	}
	up := ""
	for dir != "/" && !strings.HasPrefix(name, dir+"/") {
		up, dir = up+"../", path.Dir(dir)
	}
	return up + strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")
}
