package moving

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// makeMover is a Makefile on its way.
type makeMover struct {
	*makeReader
	*rootTasks
	names map[string]string // ours, by targets
}

// readMake reads a Makefile and what it includes (AUX-036). Each target is a task of the root that make carries out, and what it needs
// and is a target comes before: `make -o NEED TARGET` does not do it again.
func readMake(_ context.Context, s *source) {
	m := &makeMover{makeReader: &makeReader{source: s, rules: map[string]*makeRule{}, vars: map[string]makeVar{}}, names: map[string]string{}}
	m.read(s.file)
	if len(s.mistakes) > 0 {
		return
	}
	m.rootTasks = s.rootProject()
	var odd []*makeRule
	for _, r := range m.makeReader.order {
		switch {
		case !r.isTarget || strings.HasPrefix(r.name, "/") || strings.HasPrefix(r.name, "."):
		case workspace.CheckFamilyName(r.name) == nil:
			m.names[r.name], m.used[r.name] = r.name, true
		default:
			odd = append(odd, r)
		}
	}
	for _, r := range odd {
		m.names[r.name] = unusedName(cleanName(r.name), m.used)
		r.notes = append(r.notes, diag.Quote(r.name)+" is no name of a task here, so it is called "+m.names[r.name])
	}
	for _, r := range m.makeReader.order {
		if m.names[r.name] != "" {
			m.add(m.task(r))
		}
	}
	if goal := m.names[m.goal]; goal != "" && !m.used["default"] {
		k := &task{name: "default"}
		k.command, k.deps = []string{"true"}, []string{"~:" + goal}
		m.add(k)
	}
	for _, name := range sortedKeys(m.vars) {
		if m.vars[name].host && workspace.CheckEnvName(name) == nil && !byDefault(name) {
			s.draft.defaults.fromHost = append(s.draft.defaults.fromHost, name)
		}
	}
	s.finish(m.project, m.rootTasks.order)
}

// task makes one of ours.
func (m *makeMover) task(r *makeRule) *task {
	k := &task{name: m.names[r.name]}
	k.description = r.described
	for _, text := range r.notes {
		k.notes = append(k.notes, note{r.place, text})
	}
	var skipped []string
	others := false
	var before []string
	for _, need := range unique(r.needs) {
		name := m.names[need]
		switch {
		case name == "" || name == k.name:
			others = others || m.unnamed
		case r.ownVars: // they hold for what it needs as well: make does it
		default:
			k.deps = append(k.deps, "~:"+name)
			skipped = append(skipped, "-o", need)
			for _, b := range before {
				m.rootTasks.order = append(m.rootTasks.order, [2]string{b, name})
			}
			before = append(before, name)
		}
	}
	if len(r.recipe) == 0 && !others && !r.ownVars {
		k.command = []string{"true"}
		return k
	}
	if r.ownVars && len(r.needs) > 0 {
		k.notes = append(k.notes, note{r.place, "variables are set for " + diag.Quote(r.name) + " and what it needs, so make carries out all of it at once"})
	}
	k.command = slices.Concat([]string{"make"}, skipped, []string{r.name})
	k.inputs = []string{"$project"}
	m.judge(r, k)
	if others || r.ownVars {
		k.mutex = "~:make" // make may make the same thing for two of them
	}
	return k
}

// judge decides whether the result is kept, by the recipe as far as it can be read.
func (m *makeMover) judge(r *makeRule, k *task) {
	rec := recipe{name: r.name, binary: m.binary}
	unread := false
	for _, line := range r.recipe {
		line = strings.TrimLeft(line, "@-+ \t")
		text, read := m.readable(line, r, 0)
		unread = unread || !read
		if strings.TrimSpace(text) != "" {
			rec.steps = append(rec.steps, step{text: text})
		}
	}
	s, ok := rec.settle()
	if !ok || unread {
		s.kept, s.outputs = looks(r.name) && (!ok || !s.edits) && !makeEdits().MatchString(strings.Join(r.recipe, "\n")), nil
	}
	k.noCache = !s.kept
	k.fromHost = unique(append(m.fromHost(strings.Join(r.recipe, "\n")), slices.DeleteFunc(slices.Clone(s.study.Variables), byDefault)...))
	k.fromHost = slices.DeleteFunc(k.fromHost, func(name string) bool {
		_, ours := m.vars[name]
		return ours && !m.vars[name].host || name == unreadWord
	})
	if len(k.fromHost) == 0 {
		k.fromHost = nil
	}
	if s.kept {
		k.outputs = s.outputs
		if len(s.asks) > 0 {
			k.streams = []string{"~:" + m.asker(s.asks)}
		}
	} else if s.why != "" {
		k.comments = append(k.comments, s.why)
	}
}

// makeEdits are words that a recipe of which not all can be read must not have, to be taken for one that only looks.
var makeEdits = lazily(`\bgit\b|\bgo (mod|generate|get|fmt)\b|--fix\b|--write\b|\s-w\b|\bsed -i`)

// unreadWord stands in a script for what make alone can tell.
const unreadWord = "HAZ_UNREAD"

// readable is a line of a recipe as a script. What make alone can tell is an expansion of nothing that is known; read is false where that
// could be commands.
func (m *makeMover) readable(text string, r *makeRule, depth int) (out string, read bool) {
	if m.work++; depth > 20 || len(text) > 1<<16 || m.work > maxWork {
		return "${" + unreadWord + "}", false
	}
	read = true
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '$' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		inner := string(text[i])
		switch text[i] {
		case '$':
			b.WriteByte('$')
			continue
		case '(', '{':
			rest := afterReference("$" + text[i:])
			inner = strings.TrimSpace(text[i+1 : max(i+1, len(text)-len(rest)-1)])
			i = len(text) - len(rest) - 1
		}
		function, argument, isFunction := strings.Cut(inner, " ")
		v, ok := m.vars[inner]
		switch {
		case inner == "@":
			b.WriteString(r.name)
		case inner == "@D":
			b.WriteString(path.Dir(r.name))
		case inner == "<" && len(r.needs) > 0:
			b.WriteString(r.needs[0])
		case inner == "CURDIR" || inner == "PWD":
			b.WriteString("$PWD")
		case inner == "MAKE":
			b.WriteString("make")
		case isFunction && function == "shell":
			script, isRead := m.readable(argument, r, depth+1)
			read = read && isRead
			b.WriteString("$(" + script + ")")
		case isFunction && (function == "info" || function == "warning"):
		case ok && v.known:
			value, isRead := m.readable(v.text, r, depth+1)
			read = read && isRead
			b.WriteString(value)
		case !ok && !isFunction && workspace.CheckEnvName(inner) == nil:
			b.WriteString("${" + inner + "}")
		default:
			read = read && (!isFunction || function == "wildcard" || function == "patsubst" || function == "addprefix" || function == "sort") && strings.TrimSpace(text[:max(0, i-len(inner)-3)]) != ""
			b.WriteString("${" + unreadWord + "}")
		}
	}
	return b.String(), read
}
