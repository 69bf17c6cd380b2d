package moving

import (
	"path"
	"strings"

	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// spelled is a path or glob of moon in our words. ok is false for what is none.
func (r *moonRun) spelled(i moonInput) (not, text string, ok bool) {
	text, negated := strings.CutPrefix(i.text, "!")
	if negated {
		not = "!"
	}
	r.static = true
	text = r.tokens(text)
	r.static = false
	text = strings.TrimPrefix(text, "./")
	if strings.HasPrefix(i.text, "$projectRoot") {
		text = strings.TrimPrefix(strings.TrimPrefix(text, r.of.dir), "/")
	}
	if text == "" || text == "." {
		text = "**/*"
	}
	if strings.HasPrefix(text, "../") {
		if text = path.Join(r.of.dir, text); strings.HasPrefix(text, "/..") {
			text = ""
		}
	}
	_, err := pattern.Parse(strings.TrimSuffix(text, "/"))
	if err != nil {
		r.note(i.place, i.text, err.Error())
	}
	return not, text, err == nil
}

// taken is how a path of inputs is spelled, which need not be there: everything of the project is $project, a folder what lies in it, and a
// file a glob unless each project that has this has the file.
func (m *moon) taken(dirs []string, text string) string {
	bare := strings.TrimSuffix(text, "/")
	if bare == "**/*" || bare == "**" {
		return "$project"
	}
	p, err := pattern.Parse(bare)
	if err != nil || !p.IsLiteral() {
		return bare
	}
	all, folder := len(dirs) > 0, strings.HasSuffix(text, "/")
	for _, dir := range dirs {
		full := path.Join(dir, bare)
		if strings.HasPrefix(bare, "/") {
			full = bare
		}
		all = all && m.disk.Has(full)
		folder = folder || m.disk.RealDir(full) != ""
	}
	switch {
	case folder:
		return bare + "/**"
	case all:
		return bare
	}
	return asGlob(bare)
}

// having are the folders of the projects that have an item: of those that inherit it all, so that it is spelled in one way.
func (m *moon) having(p *moonProject, i moonInput) []string {
	var dirs []string
	for _, o := range m.all {
		for _, f := range o.files {
			if f.file[1:] == i.place.File {
				dirs = append(dirs, o.dir)
			}
		}
	}
	if dirs == nil {
		return []string{p.dir}
	}
	return dirs
}

// inputs are those of a task, with what its file groups hold, and the variables among them.
func (r *moonRun) inputs() {
	items := r.def.inputs
	k := r.task
	switch {
	case items == nil && r.of.dir == "/" && len(r.all) > 1:
	case items == nil:
		k.inputs = append(k.inputs, "$project")
	}
	for _, i := range items {
		r.input(i)
	}
	for _, f := range r.of.files {
		for _, i := range f.shared.inputs {
			r.input(i)
		}
	}
	if len(k.inputs) > 0 && strings.HasPrefix(k.inputs[0], "!") {
		k.inputs = append([]string{"$project"}, k.inputs...)
	}
	if r.of.locked && len(k.inputs) > 0 {
		k.inputs = append(k.inputs, "$lock")
	}
	k.inputs, k.fromHost = unique(k.inputs), unique(k.fromHost)
}

func (r *moonRun) input(i moonInput) {
	k := r.task
	switch {
	case i.env != "":
		r.variable(i)
	case i.project != "":
		r.foreignFiles(i)
	case i.group != "":
		r.group(i)
	case i.text != "":
		if not, text, ok := r.spelled(i); ok {
			k.inputs = append(k.inputs, not+r.taken(r.having(r.of, i), text))
		}
	}
}

// variable is an input that is one of the environment.
func (r *moonRun) variable(i moonInput) {
	if workspace.CheckEnvName(i.env) == nil {
		r.task.fromHost = append(r.task.fromHost, i.env)
		return
	}
	r.note(i.place, "$"+i.env, "what counts in a key is named, variable by variable: env: {from_host: ["+strings.Trim(i.env, "*")+"ONE]}")
}

// group is a file group among inputs: a set of files, or what it holds.
func (r *moonRun) group(i moonInput) {
	items, there := r.of.groups[i.group]
	if !there {
		r.note(i.place, "@group("+i.group+")", "there is no such file group")
		return
	}
	function, globs := functionOf(i.format), true
	for _, one := range items {
		p, err := pattern.Parse(strings.TrimPrefix(one.text, "!"))
		globs = globs && (one.text == "" || err == nil && !p.IsLiteral())
		if one.env != "" && (function == "group" || function == "envs") {
			r.variable(one)
		}
	}
	switch {
	case function == "envs":
	case function == "root":
		r.static = true
		dir := commonDir(r.formatted(items, "dirs"))
		r.static = false
		r.input(moonInput{text: path.Join(dir, "**/*"), place: i.place})
	case canBeSet(i.group) && (function == "group" || function == "files" || function == "globs" && globs):
		r.task.inputs = append(r.task.inputs, "$"+i.group)
	default:
		for _, one := range items {
			p, err := pattern.Parse(strings.TrimPrefix(one.text, "!"))
			if one.text == "" || err != nil || function == "globs" && p.IsLiteral() {
				continue
			}
			r.input(one)
		}
	}
}

// canBeSet reports whether a file group can be a set of files of its name.
func canBeSet(name string) bool {
	return workspace.CheckName(name) == nil && name != "project" && name != "lock"
}

// foreignFiles are files of another project among inputs, or of all that this one uses.
func (r *moonRun) foreignFiles(i moonInput) {
	var of []*moonProject
	if scope, ok := strings.CutPrefix(i.project, "^"); ok {
		for _, u := range r.of.uses {
			if scope == "" || strings.HasPrefix(u.scope, scope) {
				of = append(of, u.to)
			}
		}
	} else if p := r.byName[i.project]; p != nil {
		of = append(of, p)
	} else {
		r.note(i.place, i.project, "there is no such project")
	}
	for _, p := range of {
		items := []moonInput{{text: "**/*"}}
		if i.group != "" {
			items = p.groups[i.group]
		} else if len(i.filter) > 0 {
			items = nil
			for _, f := range i.filter {
				items = append(items, moonInput{text: f})
			}
		}
		for _, one := range items {
			not, text := "", one.text
			if rest, ok := strings.CutPrefix(text, "!"); ok {
				not, text = "!", rest
			}
			if text == "" {
				continue
			}
			if !strings.HasPrefix(text, "/") {
				text = path.Join(pattern.Escape(p.dir), text)
			}
			if _, err := pattern.Parse(text); err != nil {
				r.note(i.place, one.text, err.Error())
				continue
			}
			r.task.inputs = append(r.task.inputs, not+r.taken([]string{"/"}, text))
		}
	}
}

// outputs are those of a task: globs, for what a literal names may be made by two tasks here and there.
func (r *moonRun) outputs() {
	k := r.task
	for _, i := range r.def.outputs {
		items := []moonInput{i}
		if i.group != "" {
			items = r.of.groups[i.group]
		}
		for _, one := range items {
			if one.text == "" {
				continue
			}
			not, text, ok := r.spelled(one)
			if !ok {
				continue
			}
			k.outputs = append(k.outputs, not+r.makesOne(text, not != ""))
		}
	}
	k.outputs = unique(k.outputs)
}

// makesOne is how a path of outputs is spelled. What is no file, and has no name of one, is a folder.
func (r *moonRun) makesOne(text string, not bool) string {
	bare := strings.TrimSuffix(text, "/")
	if p, err := pattern.Parse(bare); err != nil || !p.IsLiteral() || not {
		return bare
	}
	full := path.Join(r.of.dir, bare)
	if strings.HasPrefix(bare, "/") {
		full = bare
	}
	if bare != text || !r.disk.Has(full) && (r.disk.RealDir(full) != "" || path.Ext(strings.TrimPrefix(path.Base(bare), ".")) == "") {
		return bare + "/**"
	}
	return asGlob(bare)
}

// set are the patterns of a file group in the words of a set of files.
func (m *moon) set(p *moonProject, items []moonInput) (out []string) {
	r := &moonRun{moon: m, of: p, def: &moonTask{}, task: &task{}}
	for _, i := range items {
		if i.text == "" {
			continue
		}
		if not, text, ok := r.spelled(i); ok {
			out = append(out, not+m.taken(m.having(p, i), text))
		}
	}
	p.notes = append(p.notes, r.task.notes...)
	return unique(out)
}
