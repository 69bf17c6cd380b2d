package moving

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	shell "github.com/haz-build/haz/workspace/script"
)

// miseMover is a workspace of mise on its way.
type miseMover struct {
	*miseReader
	*rootTasks
	words words
	byKey map[string]*miseTask
	names map[string]string // ours, by theirs
	head  []string          // of every script: what the files say of PATH, and variables that no text can say
}

// readMise reads the files of mise and its file tasks (AUX-035). Each task becomes a script, a file task the program that it is; what asks
// mise itself (arguments that it reads, templates that it fills in) is run by mise.
func readMise(ctx context.Context, s *source) {
	m := &miseMover{miseReader: &miseReader{source: s, known: map[string]bool{}, vars: map[string]string{}}, byKey: map[string]*miseTask{}, names: map[string]string{}}
	for _, name := range miseFiles {
		m.config(name)
	}
	m.included()
	if len(s.mistakes) > 0 {
		return
	}
	m.rootTasks = s.rootProject()
	var odd []*miseTask
	for _, k := range m.tasks {
		m.byKey[k.name] = k
		if workspace.CheckFamilyName(k.name) == nil {
			m.names[k.name], m.used[k.name] = k.name, true
		} else {
			odd = append(odd, k)
		}
	}
	for _, k := range odd {
		m.names[k.name] = unusedName(cleanName(k.name), m.used)
		k.notes = append(k.notes, note{k.place, diag.Quote(k.name) + " is no name of a task here, so it is called " + m.names[k.name]})
	}
	m.settings()
	for _, k := range m.tasks {
		if ctx.Err() == nil {
			m.add(m.task(k))
		}
	}
	s.finish(m.project, m.order)
}

// settings are what the files say of all tasks.
func (m *miseMover) settings() {
	d := &m.draft
	for _, i := range m.files {
		if v, err := m.text(i.text); err == nil && !strings.Contains(v, wordMark) && !escapes("/", v) && !strings.HasPrefix(v, "/") && !strings.ContainsAny(v, "*?[{") {
			d.defaults.files = append(d.defaults.files, path.Join(v)+"?")
		} else {
			d.notes = append(d.notes, note{i.place, diag.Quote(i.text) + " does not carry over: it is no path in the workspace"})
		}
	}
	for _, k := range m.env {
		v, err := m.text(k.text)
		switch {
		case err != nil || workspace.CheckEnvName(k.name) != nil:
			d.notes = append(d.notes, note{k.place, diag.Quote(k.name) + " does not carry over: no text says what it is"})
		case strings.Contains(v, wordMark):
			m.head = append(m.head, "export "+k.name+`="`+m.plain(v)+`"`)
		default:
			d.defaults.override = append(d.defaults.override, [2]string{k.name, v})
		}
	}
	for _, i := range slices.Backward(m.paths) {
		v, err := m.text(i.text)
		if err != nil {
			d.notes = append(d.notes, note{i.place, diag.Quote(i.text) + " does not carry over: no text says what it is"})
			continue
		}
		if !strings.HasPrefix(v, wordMark) && !strings.HasPrefix(v, "/") && !strings.HasPrefix(v, "~") {
			v = m.words.of(sameExpansion("${HAZ_PROJECT_ROOT}")) + "/" + path.Join(v)
		}
		m.head = append(m.head, `export PATH="`+strings.Replace(m.plain(v), "~", "$HOME", 1)+`:$PATH"`)
	}
}

// plain is a text with its expansions, as it stands in double quotes.
func (m *miseMover) plain(text string) string {
	for word, e := range m.words.expansions {
		text = strings.ReplaceAll(text, word, e.Quoted)
	}
	return text
}

var miseTemplate = lazily(`\{\{(.*?)\}\}`)
var miseGetEnv = lazily(`^get_env\(\s*name\s*=\s*["'](\w+)["']\s*(?:,\s*default\s*=\s*["']([^"'$\x60\\{}]*)["']\s*)?\)$`)
var miseEnvOr = lazily(`^env\.(\w+)(?:\s*\|\s*default\(value\s*=\s*["']([^"'$\x60\\{}]*)["']\))?$`)

// text fills in a template, as far as that can be done before the task runs.
func (m *miseMover) text(text string) (string, error) {
	if strings.Contains(text, "{%") || strings.Contains(text, "{#") {
		return "", errors.New("a template in it is filled in by mise")
	}
	var failed error
	out := miseTemplate().ReplaceAllStringFunc(text, func(t string) string {
		inner := strings.TrimSpace(strings.Trim(t, "{}- "))
		variable := func(match []string) string {
			if match[2] != "" {
				return m.words.of(sameExpansion("${" + match[1] + ":-" + match[2] + "}"))
			}
			return m.words.of(sameExpansion("${" + match[1] + "}"))
		}
		switch name, isVar := strings.CutPrefix(inner, "vars."); {
		case inner == "config_root", inner == "cwd", inner == "mise_project_root":
			return m.words.of(sameExpansion("${HAZ_PROJECT_ROOT}"))
		case isVar && m.vars[name] != "" && !strings.Contains(m.vars[name], "{{"):
			return m.vars[name]
		case inner == "os()":
			return map[string]string{"darwin": "macos"}[m.options.OS] + map[string]string{"linux": "linux"}[m.options.OS]
		case inner == "arch()":
			return map[string]string{"amd64": "x64", "arm64": "arm64"}[m.options.Arch]
		}
		if match := miseGetEnv().FindStringSubmatch(inner); match != nil {
			return variable(match)
		}
		if match := miseEnvOr().FindStringSubmatch(inner); match != nil {
			return variable(match)
		}
		failed = fmt.Errorf("the template %s is filled in by mise", diag.Quote(inner))
		return ""
	})
	return out, failed
}

// task makes one of ours.
func (m *miseMover) task(k *miseTask) *task {
	t := &task{name: m.names[k.name], notes: slices.Clone(k.notes)}
	t.description, t.internal = k.description, k.hidden
	err := m.carry(k, t)
	if err == nil {
		return t
	}
	t = &task{name: t.name, notes: append(slices.Clone(k.notes), note{k.place, diag.Quote(k.name) + " is run by mise itself: " + err.Error()})}
	t.description, t.internal, t.inputs = k.description, k.hidden, []string{"$project"}
	t.command = []string{"mise", "run", k.name}
	t.asks, t.noCache = k.asks, !k.asks
	return t
}

func (m *miseMover) carry(k *miseTask, t *task) error {
	if k.usage {
		return errors.New("it has arguments that mise reads")
	}
	for _, list := range []struct {
		items []item
		to    *[]string
	}{{k.depends, &t.deps}, {k.wait, &t.weakDeps}, {k.post, &t.after}} {
		for _, i := range list.items {
			names, err := m.called(i.text)
			if err != nil && list.to == &t.deps {
				return err
			}
			for _, name := range names {
				if name != t.name {
					*list.to = append(*list.to, "~:"+name)
				}
			}
		}
		*list.to = unique(*list.to)
	}
	if k.timeout != "" {
		t.timeout = k.timeout
	}
	r := recipe{name: k.name, binary: m.binary, head: slices.Clone(m.head)}
	if err := m.folder(k, &r); err != nil {
		return err
	}
	for _, v := range k.env {
		text, err := m.text(v.text)
		if err != nil {
			return err
		}
		if strings.Contains(text, wordMark) {
			r.head = append(r.head, "export "+v.name+`="`+m.plain(text)+`"`)
		} else if workspace.CheckEnvName(v.name) == nil {
			t.override = append(t.override, [2]string{v.name, text})
		}
	}
	if err := m.ofPaths(k, t, &r); err != nil {
		return err
	}
	if k.file != "" {
		return m.program(k, t, &r)
	}
	if err := m.steps(k, t, &r, 0); err != nil {
		return err
	}
	if len(r.steps) == 0 {
		t.command, t.inputs, t.override = []string{"true"}, nil, nil
		return nil
	}
	return m.close(k, t, &r)
}

// called are our names of the tasks that a text of `depends` means: one, or all that match.
func (m *miseMover) called(text string) (names []string, err error) {
	if strings.Contains(text, " ") {
		return nil, fmt.Errorf("it gives arguments to another task: %s", diag.Quote(text))
	}
	text = strings.TrimPrefix(text, "//:")
	if name := m.names[text]; name != "" {
		return []string{name}, nil
	}
	if p, err := pattern.Parse("/" + strings.ReplaceAll(text, ":", "/")); err == nil && !p.IsLiteral() {
		for _, k := range m.tasks {
			if p.Match("/" + strings.ReplaceAll(k.name, ":", "/")) {
				names = append(names, m.names[k.name])
			}
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("it calls %s, which is no task here", diag.Quote(text))
	}
	return names, nil
}

// folder is where the task runs.
func (m *miseMover) folder(k *miseTask, r *recipe) error {
	if k.dir == "" {
		return nil
	}
	dir, err := m.text(k.dir)
	if err != nil {
		return err
	}
	rest, atRoot := strings.CutPrefix(dir, m.words.of(sameExpansion("${HAZ_PROJECT_ROOT}")))
	if atRoot {
		dir = "./" + rest
	}
	if strings.Contains(dir, wordMark) || strings.HasPrefix(dir, "/") || strings.HasPrefix(dir, "~") || escapes("/", dir) {
		return errors.New("its folder is not in the workspace")
	}
	if r.dir = path.Join(dir); r.dir == "." {
		r.dir = ""
	}
	return nil
}

// ofPaths are what the task reads and makes.
func (m *miseMover) ofPaths(k *miseTask, t *task, r *recipe) error {
	for _, list := range []struct {
		items []item
		to    *[]string
		spell func(string) []string
	}{{k.sources, &t.inputs, m.given}, {k.outputs, &t.outputs, m.makes}} {
		for _, i := range list.items {
			text, err := m.text(strings.TrimPrefix(i.text, "!"))
			if err != nil {
				return err
			}
			if rest, ok := strings.CutPrefix(text, m.words.of(sameExpansion("${HAZ_PROJECT_ROOT}"))+"/"); ok {
				text = rest
			} else if !strings.HasPrefix(text, "/") {
				text = path.Join(r.dir, text)
			}
			if strings.Contains(text, wordMark) || strings.HasPrefix(text, "/") || strings.HasPrefix(text, "..") || strings.HasPrefix(text, "~") {
				t.notes = append(t.notes, note{i.place, diag.Quote(i.text) + " does not carry over: it is no path in the workspace"})
				continue
			}
			for _, p := range list.spell(text) {
				if strings.HasPrefix(i.text, "!") {
					p = "!" + p
				}
				*list.to = append(*list.to, p)
			}
		}
	}
	r.said = len(t.inputs) > 0 && len(t.outputs) > 0
	if len(t.inputs) == 0 || strings.HasPrefix(t.inputs[0], "!") {
		t.inputs = append([]string{"$project"}, t.inputs...)
	}
	t.inputs, t.outputs = unique(t.inputs), unique(t.outputs)
	return nil
}

// steps are the commands of a task. Calls that come first are tasks that come before, others are done in their place.
func (m *miseMover) steps(k *miseTask, t *task, r *recipe, depth int) error {
	if depth > 20 || len(r.steps) > maxSteps {
		return errors.New("calls go too deep")
	}
	var before []string
	for _, run := range k.runs {
		for _, called := range run.tasks {
			names, err := m.called(called)
			if err != nil {
				return err
			}
			if len(r.steps) == 0 && depth == 0 {
				for _, name := range names {
					t.deps = unique(append(t.deps, "~:"+name))
					for _, b := range before {
						m.order = append(m.order, [2]string{b, name})
					}
				}
				if len(run.tasks) == 1 {
					before = append(before, names...)
				}
				continue
			}
			other := m.byKey[called]
			if other == nil || other.file != "" || len(other.env)+len(other.depends)+len(other.post) > 0 || other.dir != k.dir || other.usage || other == k {
				return fmt.Errorf("it calls %s between its commands", diag.Quote(called))
			}
			if err := m.steps(other, t, r, depth+1); err != nil {
				return err
			}
			r.never, r.why = true, "it does what another task does, of which nothing says what it makes"
		}
		if run.text == "" {
			continue
		}
		text, bash, err := m.script(k, run.text)
		if err != nil {
			return err
		}
		r.bash = r.bash || bash
		r.steps = append(r.steps, step{text: text})
	}
	return nil
}

// script is the text of a command as one for sh or bash.
func (m *miseMover) script(k *miseTask, run string) (out string, bash bool, err error) {
	text, err := m.text(run)
	if err != nil {
		return "", false, err
	}
	if strings.Contains(text, "usage_") {
		return "", false, errors.New("it has arguments that mise reads")
	}
	line, rest, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n")
	if interpreter, ok := strings.CutPrefix(line, "#!"); ok {
		words := strings.Fields(interpreter)
		name := path.Base(words[len(words)-1])
		if len(words) > 1 && strings.HasPrefix(words[len(words)-1], "-") {
			name = path.Base(words[len(words)-2])
			rest = "set " + words[len(words)-1] + "\n" + rest
		} else {
			rest = "set +e\n" + rest
		}
		if name != "sh" && name != "bash" {
			return "", false, errors.New("it is no script for sh or bash")
		}
		text, bash = rest, name == "bash"
	}
	if first, _, _ := strings.Cut(k.shell, " "); first != "" && path.Base(first) != "sh" && path.Base(first) != "bash" {
		return "", false, fmt.Errorf("its shell is %s", diag.Quote(first))
	}
	out, ok := shell.Expand(text, m.words.expansions)
	if !ok {
		return "", false, errors.New("it is no script for bash, or has text that no shell expands")
	}
	return strings.ReplaceAll(out, "$MISE_PROJECT_ROOT", "$HAZ_PROJECT_ROOT"), bash || strings.HasPrefix(k.shell, "bash"), nil
}

// close makes the task of its recipe. Arguments come behind its last command, as in mise.
func (m *miseMover) close(k *miseTask, t *task, r *recipe) error {
	s, ok := r.settle()
	if !ok {
		return errors.New("its commands are no script for bash")
	}
	s.into(t, nil)
	if k.asks {
		t.asks, t.noCache = true, false
	}
	if s.kept && !r.said {
		t.outputs = unique(append(t.outputs, s.outputs...))
	}
	t.plain(s)
	t.appends = t.shell != "" && !s.study.Arguments
	if !t.noCache && !t.asks && len(s.asks) > 0 {
		t.streams = []string{"~:" + m.asker(s.asks)}
	}
	return nil
}

// program is a file task: it is started as it is, and judged by the script that it is.
func (m *miseMover) program(k *miseTask, t *task, r *recipe) error {
	if strings.Contains(k.body, "usage_") {
		return errors.New("it has arguments that mise reads")
	}
	line, rest, _ := strings.Cut(k.body, "\n")
	if isEmptyScript(rest) && strings.HasPrefix(line, "#!") {
		t.command, t.inputs, t.override = []string{"true"}, nil, nil
		return nil
	}
	if strings.Contains(k.body, "MISE_PROJECT_ROOT") || strings.Contains(k.body, "MISE_CONFIG_ROOT") {
		r.head = append(r.head, `export MISE_PROJECT_ROOT="$HAZ_PROJECT_ROOT" MISE_CONFIG_ROOT="$HAZ_PROJECT_ROOT"`)
	}
	judged := recipe{name: k.name, binary: m.binary, head: r.head, dir: r.dir, said: r.said, steps: []step{{text: rest}}}
	s, isScript := settled{}, strings.HasPrefix(line, "#!") && strings.HasSuffix(strings.Fields(line + " x")[0], "sh") || strings.HasSuffix(line, "sh")
	ok := false
	if isScript {
		s, ok = judged.settle()
	}
	if !ok {
		s = settled{kept: r.said || looks(k.name)}
		s.text = ""
	}
	program := k.file
	if len(r.head) == 0 && r.dir == "" {
		if !strings.Contains(program, "/") {
			program = "./" + program
		}
		t.command = []string{program}
	} else {
		run := recipe{name: k.name, binary: m.binary, head: r.head, dir: r.dir, steps: []step{{text: `"$HAZ_PROJECT_ROOT"/` + diag.ShellWord(program) + ` "$@"`}}}
		whole, _ := run.settle()
		t.shell = whole.text
	}
	for _, name := range s.study.Variables {
		if !byDefault(name) && !isSet(t.override, name) && !strings.HasPrefix(name, "MISE_") {
			t.fromHost = append(t.fromHost, name)
		}
	}
	t.noCache, t.asks = !s.kept && !k.asks, k.asks
	if s.kept {
		if !slices.Contains(t.inputs, "$project") {
			t.inputs = append(t.inputs, k.file)
		}
		if !r.said {
			t.outputs = unique(append(t.outputs, s.outputs...))
		}
		if len(s.asks) > 0 && !k.asks {
			t.streams = []string{"~:" + m.asker(s.asks)}
		}
	}
	return nil
}

// isEmptyScript reports whether a script does nothing.
func isEmptyScript(text string) bool {
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}
