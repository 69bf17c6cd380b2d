package workspace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
)

// A wildcard is the character * in a name of a reference that somebody types, and in an atom of a query (QRY-010). It stands for any
// characters, none and / and : included: names are no paths, and who writes "@acme/*" or "*:test" means all of them. No name holds one.

// IsWild reports whether a name holds a wildcard.
func IsWild(name string) bool { return strings.IndexByte(name, '*') >= 0 }

// Wild reports whether a reference holds a wildcard, which only those that were typed do.
func (r Reference) Wild() bool { return IsWild(r.Project) || IsWild(r.Tag) || IsWild(r.Task) }

// MatchName reports whether a name is one that a text with wildcards means; of a text without one, whether they are equal.
func MatchName(text, name string) bool {
	head, rest, wild := strings.Cut(text, "*")
	if !wild {
		return text == name
	}
	name, ok := strings.CutPrefix(name, head)
	if !ok {
		return false
	}
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, part)
		}
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name, rest = name[at+len(part):], after
	}
}

// matchProject reports whether a text with wildcards means a project: by its name, or an alias of it.
func matchProject(text, name string, aliases []string) bool {
	return MatchName(text, name) || slices.ContainsFunc(aliases, func(a string) bool { return MatchName(text, a) })
}

// MatchTask reports whether a text with wildcards means a task: by its name, or, of a cell, by that of its family (REF-009).
func MatchTask(text, name string) bool {
	family := TaskID{Task: name}.Family()
	return MatchName(text, name) || family != name && MatchName(text, family)
}

// checks are the rules of names, by what is named: "project", "tag" or "task".
var checks = map[string]func(string) error{"project": CheckProjectName, "tag": CheckName, "task": CheckTaskName}

// CheckTypedName checks a name of a project, a tag or a task that somebody typed, so that it may hold wildcards: what stands around them is
// held to the rules of names, as if each were a letter. In the brackets of a cell one may stand anywhere. The error is *NameError.
func CheckTypedName(what, text string) error {
	family, values, isCell := strings.Cut(text, "[")
	if what != "task" || !isCell || !IsWild(values) {
		return checks[what](strings.ReplaceAll(text, "*", "a"))
	}
	if err := checks[what](strings.ReplaceAll(family, "*", "a")); err != nil {
		return err
	}
	at := len(family)
	if !strings.HasSuffix(values, "]") {
		return &NameError{Rule: "REF-009", Offset: at, Length: len(text) - at, Reason: `the "[" of the cell is not closed`}
	}
	for i := at + 1; i < len(text)-1; i++ {
		if c := text[i]; !isLetter(c) && !isDigit(c) && strings.IndexByte("_-.+@/=,*", c) < 0 {
			return badCharacter(text, i, "a cell with a wildcard has only the characters A-Z a-z 0-9 _ - . + @ / = , *", "REF-009")
		}
	}
	return nil
}

// wild selects what a reference with a wildcard means, in canonical order. Internal tasks are meant where no wildcard stands for their
// name, and where the caller says so.
func (w *Workspace) wild(r Reference, bearing *Project, internal bool) ([]*Task, error) {
	if r.Form == RefUses {
		return w.wildUses(r, bearing, internal)
	}
	if r.Form == RefBare && bearing != nil && w.IsAmongOthers(bearing) && !slices.ContainsFunc(bearing.Tasks, func(t *Task) bool { return MatchTask(r.Task, t.ID.Task) }) {
		bearing = nil // as of a name that the root has no task of (EXEC-022)
	}
	projects, err := w.wildProjects(r, bearing)
	if err != nil || projects == nil {
		return nil, err
	}
	var found []*Task
	hidden := (*Task)(nil)
	for _, p := range projects {
		if !IsWild(r.Task) {
			found = append(found, p.named(r.Task)...)
			continue
		}
		for _, t := range p.Tasks {
			switch {
			case !MatchTask(r.Task, t.ID.Task):
			case t.Internal && !internal:
				hidden = t
			default:
				found = append(found, t)
			}
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	if w.Partial.Projects || w.Partial.Tags && r.Tag != "" || len(w.Partial.Tasks) > 0 {
		return nil, nil
	}
	e := &SelectError{Rule: r.rule(), Ref: r.String(), NoTask: true}
	if hidden != nil {
		e.Reason = "only internal tasks match, and a wildcard leaves those out"
		e.Hint = "an internal task is run by its name: " + diag.Quote(hidden.ID.String())
		return nil, e
	}
	switch len(projects) {
	case 0:
		e.Reason = "there is no project that it could mean"
	case 1:
		e.Reason = fmt.Sprintf("project %s has no task %s", diag.Quote(projects[0].Name), diag.Quote(r.Task))
	default:
		e.Reason = fmt.Sprintf("none of the %d projects that it means has a task %s", len(projects), diag.Quote(r.Task))
	}
	var names []string
	for _, p := range projects {
		for _, t := range p.Tasks {
			names = append(names, t.ID.Task)
		}
	}
	if near := nearWild(r.Task, names); near != "" {
		r.Task = near
		e.Hint = diag.DidYouMean(r.String())
	} else {
		e.Hint = "haz list --workspace shows the tasks"
	}
	return nil, w.maybeAbsent(r, e)
}

// anyProject reports whether a name, which may hold wildcards, is that of a project.
func (w *Workspace) anyProject(name string) bool {
	if !IsWild(name) {
		return w.Project(name) != nil
	}
	return slices.ContainsFunc(w.Projects, func(p *Project) bool { return matchProject(name, p.Name, p.Aliases) })
}

// wildUses is all that ^uses: selects for the names that a wildcard means: for each, a project without it is looked through.
func (w *Workspace) wildUses(r Reference, bearing *Project, internal bool) ([]*Task, error) {
	var found []*Task
	for _, name := range w.byName().tasks {
		if !MatchName(r.Task, name) {
			continue
		}
		tasks, _ := w.usedTasks(bearing, name)
		for _, t := range tasks {
			if internal || !t.Internal {
				found = append(found, t)
			}
		}
	}
	if len(found) == 0 {
		e := &SelectError{Rule: r.rule(), Ref: r.String(), NoTask: true,
			Reason: fmt.Sprintf("none of the projects that %s uses has a task %s", diag.Quote(bearing.Name), diag.Quote(r.Task))}
		if len(bearing.Uses) == 0 {
			e.Reason = fmt.Sprintf("project %s uses no project", diag.Quote(bearing.Name))
		}
		return nil, e
	}
	slices.SortFunc(found, func(a, b *Task) int { return a.ID.Compare(b.ID) })
	return slices.Compact(found), nil
}

// wildProjects are the projects whose tasks a reference with a wildcard can mean; nil, without an error, where that cannot be told of a
// workspace that loaded only in part.
func (w *Workspace) wildProjects(r Reference, bearing *Project) ([]*Project, error) {
	list := []*Project{}
	among := func(which func(*Project) bool) {
		for _, p := range w.Projects {
			if which(p) {
				list = append(list, p)
			}
		}
	}
	none := func(reason, wild string, names []string, as func(near string) Reference) ([]*Project, error) {
		if w.Partial.Projects || w.Partial.Tags && r.Tag != "" {
			return nil, nil
		}
		e := &SelectError{Rule: r.rule(), Ref: r.String(), Reason: reason, Hint: "haz list --projects --workspace shows the projects and their tags"}
		if near := nearWild(wild, names); near != "" {
			e.Hint = diag.DidYouMean(as(near).String())
		}
		return nil, w.maybeAbsent(r, e)
	}
	switch r.Form {
	case RefOwn:
		return []*Project{bearing}, nil
	case RefBare:
		if bearing != nil {
			return []*Project{bearing}, nil
		}
		among(func(*Project) bool { return true })
	case RefAll:
		among(func(*Project) bool { return true })
	case RefAllButOwn:
		among(func(p *Project) bool { return p != bearing })
	case RefProject:
		if !IsWild(r.Project) {
			if p := w.Project(r.Project); p != nil {
				return []*Project{p}, nil
			}
			_, err := w.noProject(r, bearing)
			return nil, err
		}
		among(func(p *Project) bool { return matchProject(r.Project, p.Name, p.Aliases) })
		if len(list) == 0 {
			return none("no project matches "+diag.Quote(r.Project), r.Project, w.byName().names, func(near string) Reference { r.Project = near; return r })
		}
	case RefTag, RefTagButOwn:
		tagged := func(p *Project) bool {
			return slices.ContainsFunc(p.Tags, func(tag string) bool { return MatchName(r.Tag, tag) })
		}
		if !slices.ContainsFunc(w.Projects, tagged) {
			if !IsWild(r.Tag) {
				_, err := w.noTag(r)
				return nil, err
			}
			return none("no project has a tag that matches "+diag.Quote(r.Tag), r.Tag, w.byName().tags, func(near string) Reference { r.Tag = near; return r })
		}
		among(func(p *Project) bool { return tagged(p) && (r.Form == RefTag || p != bearing) })
	}
	return list, nil
}

// nearWild is a text like one with wildcards that is spelt wrongly, and means some of the names; "" when nothing comes close.
func nearWild(wild string, names []string) string {
	literal := strings.Trim(wild, "*")
	if IsWild(literal) {
		return ""
	}
	ahead, behind := strings.HasPrefix(wild, "*"), strings.HasSuffix(wild, "*")
	candidates := slices.Clone(names)
	for _, name := range names {
		switch over := len(name) - len(literal); {
		case over <= 0 || ahead == behind:
		case behind:
			candidates = append(candidates, name[:len(literal)])
		default:
			candidates = append(candidates, name[over:])
		}
	}
	if near := diag.Nearest(literal, candidates); near != "" {
		return strings.Replace(wild, literal, near, 1)
	}
	return ""
}
