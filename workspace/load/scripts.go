package load

import (
	"fmt"
	"slices"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/infer"
)

// Scripts of a package are tasks of its project (haz::cfg::111): each is the widest body of its name, which what haz files say wins over, and
// is completed by where it says inherit: true.

// scripts are those of one project.
type scripts struct {
	src   *config.Source
	tasks map[string]config.Task
	names []string // sorted
}

// scriptsOf makes bodies of the scripts that manifests of a folder have.
func (l *loader) scriptsOf(dir string) (s *scripts, diags diag.List) {
	for i := range l.inferred.at[dir] {
		p := &l.inferred.at[dir][i]
		if len(p.Scripts) == 0 {
			continue
		}
		s = &scripts{src: config.NewSource(inside(p.Manifest), p.Text), tasks: make(map[string]config.Task, len(p.Scripts))}
		for _, script := range p.Scripts {
			at := config.Span{Start: uint32(script.Start), End: uint32(script.End)}
			if err := workspace.CheckFamilyName(script.Name); err != nil {
				diags = append(diags, diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::112", Place: s.src.Place(at), KeyPath: "scripts",
					Message: fmt.Sprintf("script %s is no task: %v", diag.QuoteShort(script.Name), err), Hint: "give it another name, or write a task that runs it"})
				continue
			}
			s.names = append(s.names, script.Name)
			s.tasks[script.Name] = config.Task{Name: config.Text{Value: script.Name, Span: at, Set: true}, Body: config.NewScript(script.Name, at, command(p.Runner, script.Name), inputsOf(p.Runner))}
		}
	}
	return s, diags
}

func command(r infer.Runner, script string) []string {
	return append(append(append([]string{}, r.Command...), script), r.After...)
}

// inputsOf are the sets that a script reads: there may be no lock file.
func inputsOf(r infer.Runner) []string {
	if !r.Locked {
		return []string{workspace.ProjectSet}
	}
	return []string{workspace.ProjectSet, workspace.LockSet}
}

// source is the script of a name, as what other bodies compete with.
func (s *scripts) source(name string) (source, bool) {
	if s == nil {
		return source{}, false
	}
	t, ok := s.tasks[name]
	return source{task: t, src: s.src, script: true}, ok
}

// builderOf makes tasks of scripts.
func (l *loader) builderOf(own *project) *builder {
	return &builder{ctx: l.ctx, script: true, src: own.scripts.src, files: l.files, nested: l.nested, locks: l.inferred.locks, known: map[*config.Body]bool{}, seen: map[*workspace.Project]*sets{own.Project: own.sets}, sets: own.sets}
}

// onlyScripts makes tasks of the scripts that no haz file says anything of.
func (l *loader) onlyScripts(own *project, said func(name string) bool) {
	if own.scripts == nil {
		return
	}
	b := l.builderOf(own)
	for _, name := range own.scripts.names {
		if !said(name) {
			own.Project.Tasks = append(own.Project.Tasks, b.tasks(own.Project, own.scripts.tasks[name], own.base, "")...)
		}
	}
	l.diags = append(l.diags, b.diags...)
}

// completesNothing reports whether bodies of overlays are about tasks that other projects have, and this one has not: they complete scripts,
// and say not what is carried out. Where no scripts are read that is a mistake.
func (l *loader) completesNothing(winner source, chain []source) bool {
	if l.settings == nil || !l.settings.Infer.Scripts.Value || !winner.task.Body.Inherit.Value {
		return false
	}
	acts := func(s source) bool {
		b := s.task.Body
		return b.Command.Set || b.Shell.Set || b.ActionFailed()
	}
	return !acts(winner) && !slices.ContainsFunc(chain, acts)
}

// standIn is what stands in the place of a script that a package has not, where bodies of its name complete none and wait for their own name in
// what the package uses (haz::cfg::126): what these hand on depends on the files of the package as well. Nothing uses a root with members.
func (l *loader) standIn(own *project, n string, winner source, chain []source) (source, bool) {
	if !l.completesNothing(winner, chain) || !l.isMember(own.dir.path) {
		return source{}, false
	}
	waits := func(s source) bool {
		return slices.ContainsFunc(s.task.Body.Deps.Items, func(d config.Dep) bool { return referenceText(&d.Task) == "^uses:"+n })
	}
	if !waits(winner) && !slices.ContainsFunc(chain, waits) {
		return source{}, false
	}
	body := l.standIns[n]
	if body == nil {
		if l.standIns == nil {
			l.standIns = map[string]*config.Body{}
		}
		body = config.NewScript(n, l.settings.Infer.Scripts.Span, []string{"true"}, []string{workspace.ProjectSet})
		l.standIns[n] = body
	}
	return source{task: config.Task{Name: config.Text{Value: n, Set: true}, Body: body}, src: l.settings.Source, standIn: true}, true
}

// isMember reports whether a folder is a package, and not a root with members.
func (l *loader) isMember(dir string) bool {
	is, others := false, false
	for _, p := range l.inferred.at[dir] {
		is = is || p.Reader == nodeReader
	}
	if dir == "/" {
		others = slices.ContainsFunc(l.inferred.Projects, func(p infer.Project) bool { return p.Reader == nodeReader && p.Dir != "/" })
	}
	return is && !others
}

// uncached warns of scripts whose tasks are not cached, since nobody says what they make (haz::cfg::111): once for each name.
func (l *loader) uncached() {
	if l.settings == nil || !l.settings.Infer.Scripts.Value {
		return
	}
	first := map[string]*workspace.Task{}
	count := map[string]int{}
	var names []string
	for _, p := range l.ws.Projects {
		for _, t := range p.Tasks {
			if n := t.ID.Family(); t.NoOutputs {
				if first[n] == nil {
					first[n] = t
					names = append(names, n)
				}
				count[n]++
			}
		}
	}
	for _, n := range names {
		of := ""
		if more := count[n] - 1; more > 0 {
			of = fmt.Sprintf(", nor are those of that name of %d more", more)
			if more == 1 {
				of += " project"
			} else {
				of += " projects"
			}
		}
		l.add(diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::113", Place: first[n].Place,
			Message: fmt.Sprintf("task %s is not cached%s: nothing says what the script makes", diag.Quote(first[n].ID.String()), of),
			Hint:    "in .haz/tasks/scripts.yml, for all of them: tasks: {" + yamlKey(n) + ": {inherit: true, outputs: [\"dist/\"]}}; one that makes nothing: cache: true"})
	}
}

// yamlKey spells a name as a key.
func yamlKey(name string) string {
	if workspace.CheckName(name) == nil {
		return name
	}
	return fmt.Sprintf("%q", name)
}
