package key

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/tools"
	"github.com/haz-build/haz/workspace"
)

// The environment of a task (chapter 2, 4.3) is in two parts. What is in the key: names of from_host, present or not, and override,
// by digests of their values (variables). And what is passed, by pass and by default, of which nothing is in the key: neither name nor
// value (passed). Beside these stand haz's own variables, which say what the key says anyway, or nothing that is to matter (own).

// HostEnv is a snapshot of the host's environment.
type HostEnv struct {
	vars []hostVariable // by name, each once
	look func(name string) (string, bool)
}

type hostVariable struct{ name, value string }

// NewHostEnv makes a snapshot of texts NAME=value. Of a name given twice the last counts, as in a shell. Names and values are bytes.
func NewHostEnv(environ []string) HostEnv {
	vars := make([]hostVariable, 0, len(environ))
	for _, kv := range slices.Backward(environ) {
		if name, value, ok := strings.Cut(kv, "="); ok {
			vars = append(vars, hostVariable{name, value})
		}
	}
	return HostEnv{vars: eachOnce(vars)}
}

// eachOnce sorts variables by name. Of equal names the first stays.
func eachOnce(vars []hostVariable) []hostVariable {
	slices.SortStableFunc(vars, func(a, b hostVariable) int { return strings.Compare(a.name, b.name) })
	return slices.CompactFunc(vars, func(a, b hostVariable) bool { return a.name == b.name })
}

// Lookup returns the value of a variable, and whether it is set.
func (e HostEnv) Lookup(name string) (value string, ok bool) {
	i, ok := slices.BinarySearchFunc(e.vars, name, func(v hostVariable, name string) int { return strings.Compare(v.name, name) })
	switch {
	case ok:
		return e.vars[i].value, true
	case e.look != nil:
		return e.look(name)
	}
	return "", false
}

// seen are the variables that may pass to a task.
func (e HostEnv) seen(t *workspace.Task) []hostVariable {
	if e.look == nil {
		return e.vars
	}
	vars := slices.Clone(e.vars)
	for _, name := range slices.Concat(workspace.PassedByDefault(), t.Pass) {
		if value, ok := e.look(name); ok && !strings.HasSuffix(name, "*") {
			vars = append(vars, hostVariable{name, value})
		}
	}
	return eachOnce(vars)
}

// variables lists the variables of a task that are in its key: what it takes from the host, present or not, and what it sets, which
// wins (4.3). Sorted by name, each name once. Values are bytes (S-12).
func (d *Deriver) variables(t *workspace.Task) []variable {
	files := d.fromFiles(t)
	if len(t.FromHost)+len(t.Override)+len(files) == 0 {
		return nil
	}
	vars := make([]variable, 0, len(t.FromHost)+len(t.Override)+len(files))
	vars = append(vars, files...)
	for _, name := range t.FromHost {
		if !t.Hashes(name) || inFile(files, name) {
			continue // it is set
		}
		v := variable{name: name, host: true}
		v.value, v.present = d.o.Host.Lookup(name)
		vars = append(vars, v)
	}
	for name, value := range t.Override {
		vars = append(vars, variable{name: name, present: true, value: value})
	}
	slices.SortFunc(vars, func(a, b variable) int { return strings.Compare(a.name, b.name) })
	return slices.CompactFunc(vars, func(a, b variable) bool { return a.name == b.name })
}

// own is what haz itself tells a task (EXEC-032): where the workspace lies, which is in no key; which project and task it is, which is
// component 1; and where the project lies, of which component 1 has the place in the workspace.
func (d *Deriver) own(t *workspace.Task, task string) []string {
	var env []string
	if d.o.Root != "" && t.Project != nil {
		env = append(env, workspace.EnvRoot+"="+d.o.Root, workspace.EnvProject+"="+t.ID.Project, workspace.EnvProjectRoot+"="+path.Join(d.o.Root, t.Project.Dir))
	}
	if env != nil && task != "" {
		env = append(env, workspace.EnvTask+"="+task)
	}
	return env
}

// Passed lists the names of the host's variables that the task sees and whose values are in no key (haz::cfg::041, haz::cfg::042): those
// of pass, and those that pass by default. Sorted.
func (d *Deriver) Passed(t *workspace.Task) (declared, byDefault []string) {
	files := d.fromFiles(t)
	for _, v := range d.o.Host.seen(t) {
		switch passes, unsaid := t.Passes(v.name); {
		case inFile(files, v.name):
		case unsaid:
			byDefault = append(byDefault, v.name)
		case passes:
			declared = append(declared, v.name)
		}
	}
	return declared, byDefault
}

// Environment is the exact environment of the task, sorted by name (chapter 2, 4.3): what is in the key and what is passed.
func (d *Deriver) Environment(t *workspace.Task) []string { return d.environment(t, t.ID.Task) }

// EnvironmentWith is Environment with variables that services give (EXEC-077): they come after what passes and what haz itself says, and before
// what files and overrides say.
func (d *Deriver) EnvironmentWith(t *workspace.Task, given map[string]string) []string {
	env, files := d.Environment(t), d.fromFiles(t)
	for name, value := range given {
		if t.Sets(name) || inFile(files, name) {
			continue
		}
		at, there := slices.BinarySearchFunc(env, name, CompareEnv)
		if there {
			env[at] = name + "=" + value
		} else {
			env = slices.Insert(env, at, name+"="+value)
		}
	}
	return env
}

// environment tells whoever it is for that it is that task; "": no task.
func (d *Deriver) environment(t *workspace.Task, task string) []string {
	env, files := []string{}, d.fromFiles(t)
	for _, v := range d.variables(t) {
		if v.present {
			env = append(env, v.name+"="+v.value)
		}
	}
	for _, v := range d.own(t, task) {
		if name, _, _ := strings.Cut(v, "="); !t.Sets(name) && !inFile(files, name) {
			env = append(env, v)
		}
	}
	for _, v := range d.o.Host.seen(t) {
		if passes, _ := t.Passes(v.name); passes && !inFile(files, v.name) {
			env = append(env, v.name+"="+v.value)
		}
	}
	slices.SortFunc(env, CompareEnv)
	return env
}

// CompareEnv compares texts NAME=value, or names, by name: the order of an environment.
func CompareEnv(a, b string) int {
	a, _, _ = strings.Cut(a, "=")
	b, _, _ = strings.Cut(b, "=")
	return strings.Compare(a, b)
}

// path is the PATH in which programs of the task are looked for.
func (d *Deriver) path(t *workspace.Task) tools.Env {
	// A probe is shared by several tasks: it is not told which of them asks.
	env := tools.Env{All: func() []string { return d.environment(t, "") }}
	if env.Path, env.Set = t.Override["PATH"]; env.Set {
		return env
	}
	for _, v := range d.fromFiles(t) {
		if v.name == "PATH" {
			env.Path, env.Set = v.value, true
			return env
		}
	}
	if t.HasPath() {
		env.Path, env.Set = d.o.Host.Lookup("PATH")
	}
	return env
}
