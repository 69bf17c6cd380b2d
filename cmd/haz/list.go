package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

func listCommand() *command {
	return &command{Command: cli.Command{Name: "list", Usage: "list tasks or projects, for people",
		Description: "Lists the tasks of this directory's project, or of the workspace outside of every project, with what they have; with -v, below each what it inherits, and where that stands. With --projects, the projects with what each uses, and where that is said.",
		Flags: []cli.Flag{
			toggle("projects", "list projects instead of tasks"),
			toggle("workspace", "all projects, whatever the directory"),
			filterOption(),
			formatOption("plain (default) or json", "plain", "json"),
		},
		UsageText: lines("haz list", "haz list --projects --workspace"),
	}, noArgs: true, argsHint: "the tasks of one project, or of one name: haz query --workspace --projects NAME --tasks NAME", do: doList, exclusive: [][]string{{"projects", "filter"}}}
}

// doList is `haz list`.
func doList(v *invocation) error {
	wanted, err := v.wanted()
	if err != nil {
		return err
	}
	wanted.All = !wanted.Workspace
	w, err := v.open(haz.WithForgivenManifests())
	if err != nil {
		return err
	}
	defer w.Close()
	v.warn(w.W.Notes)
	if v.has("projects") {
		projects := w.W.Projects
		if p := w.Bearing(); p != nil && !v.has("workspace") && !w.W.IsAmongOthers(p) {
			projects = []*haz.Project{p}
		}
		return v.listProjects(projects)
	}
	selected, err := w.Find(v.ctx, wanted)
	if err != nil {
		return err
	}
	found := make([]*haz.Task, len(selected.Targets))
	for i, t := range selected.Targets {
		found[i] = w.W.Tasks[t]
	}
	return v.listTasks(w, found)
}

func (v *invocation) listProjects(projects []*haz.Project) error {
	if v.value("format") == "json" {
		type project struct {
			Project string    `json:"project"`
			Aliases []string  `json:"aliases,omitempty"`
			Root    string    `json:"root"`
			Tags    []string  `json:"tags"`
			Tasks   []string  `json:"tasks"`
			Uses    []jsonUse `json:"uses"`
		}
		doc := make([]project, len(projects))
		for i, p := range projects {
			doc[i] = project{p.Name, p.Aliases, p.Dir, append([]string{}, p.Tags...), []string{}, usesJSON(p)}
			for _, t := range p.Tasks {
				doc[i].Tasks = append(doc[i].Tasks, t.ID.Task)
			}
		}
		v.printJSON(doc)
		return nil
	}
	rows := [][]string{{"PROJECT", "ROOT", "TAGS", "TASKS"}}
	related := slices.ContainsFunc(projects, func(p *haz.Project) bool { return len(p.Uses) > 0 })
	if related {
		rows[0] = append(rows[0], "USES")
	}
	for _, p := range projects {
		rows = append(rows, []string{p.Name, diag.Escape(p.Dir), cmp.Or(strings.Join(p.Tags, ","), "-"), fmt.Sprint(len(p.Tasks))})
		if related {
			uses := make([]string, len(p.Uses))
			for i, u := range usesJSON(p) {
				uses[i] = u.Project + " (" + u.String() + ")"
			}
			rows[len(rows)-1] = append(rows[len(rows)-1], strings.Join(uses, ", "))
		}
	}
	v.out.Print(aligned(rows))
	return nil
}

func (v *invocation) listTasks(w *haz.Workspace, ts []*haz.Task) error {
	if v.value("format") == "json" {
		type task struct {
			Project  string     `json:"project"`
			Root     string     `json:"root"`
			Task     string     `json:"task"`
			Tags     []string   `json:"tags"`
			Inputs   []string   `json:"inputs"`
			Outputs  []string   `json:"outputs"`
			Deps     []string   `json:"deps"`
			WeakDeps []string   `json:"weak_deps"`
			After    []string   `json:"after,omitempty"`
			Refs     []jsonRef  `json:"references,omitempty"`
			Mutex    *jsonMutex `json:"mutex"`
			Keeps    bool       `json:"incremental,omitempty"`
			jsonAttempts
			jsonSaid
			Source    string       `json:"source"`
			Inherited []jsonOrigin `json:"inherited,omitempty"`
		}
		doc := make([]task, len(ts))
		for i, t := range ts {
			hard, soft := upstreams(w, t)
			doc[i] = task{t.ID.Project, t.Project.Dir, t.ID.Task, append([]string{}, t.Project.Tags...), texts(t.Inputs), texts(t.Outputs),
				hard, soft, finalizers(w, t), refsJSON(w.Relations(t.Index)), mutexJSON(t), t.Incremental, attemptsJSON(t), saidJSON(t), cmp.Or(t.Overlay, "project"), originsJSON(t)}
		}
		v.printJSON(doc)
		return nil
	}
	ts = offered(ts)
	rows := [][]string{{"TASK", "KIND", "INPUTS", "OUTPUTS", "DEPS"}}
	described := slices.ContainsFunc(ts, func(t *haz.Task) bool { return t.Brief() != "" })
	if described {
		rows[0] = append(rows[0], "DESCRIPTION")
	}
	for _, t := range ts {
		hard, soft := upstreams(w, t)
		deps := fmt.Sprint(len(hard))
		if len(soft) > 0 {
			deps += fmt.Sprintf(" (+%d weak)", len(soft))
		}
		if after := finalizers(w, t); len(after) > 0 {
			deps += fmt.Sprintf(" (+%d after)", len(after))
		}
		rows = append(rows, []string{t.ID.String(), kind(t), fmt.Sprint(len(t.Inputs)), fmt.Sprint(len(t.Outputs)), deps})
		if described {
			rows[len(rows)-1] = append(rows[len(rows)-1], diag.Escape(t.Brief()))
		}
	}
	text := aligned(rows)
	if v.has("verbose") {
		text = withOrigins(text, w, ts)
	}
	v.out.Print(text)
	return nil
}

// jsonSaid is what a task says of itself to people.
type jsonSaid struct {
	Description string `json:"description,omitempty"`
	Internal    bool   `json:"internal,omitempty"`
}

func saidJSON(t *haz.Task) jsonSaid { return jsonSaid{t.Description, t.Internal} }

// upstreams are the direct hard and soft upstreams of a task, canonical order.
func upstreams(w *haz.Workspace, t *haz.Task) (hard, soft []string) {
	return idTexts(w.G.Ends(w.G.Up[t.Index], haz.Hard)), idTexts(w.G.Ends(w.G.Up[t.Index], haz.Soft))
}

// finalizers are those of a task, canonical order.
func finalizers(w *haz.Workspace, t *haz.Task) []string {
	return idTexts(w.G.Ends(w.G.Down[t.Index], haz.Final))
}

func idTexts(ts []*haz.Task) []string {
	names := make([]string, len(ts))
	for i, t := range ts {
		names[i] = t.ID.String()
	}
	return names
}

// kind is "command", or the name of the shell.
func kind(t *haz.Task) string {
	if t.Kind == workspace.Shell {
		return t.Shell
	}
	return "command"
}

// aligned aligns columns, two spaces apart; a table without rows below its header is nothing.
func aligned(rows [][]string) string {
	if len(rows) < 2 {
		return ""
	}
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		var line strings.Builder
		for i, cell := range r {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// originTexts say where the values of a task stand that are not in its own body.
func originTexts(t *haz.Task) []string {
	out := make([]string, len(t.Origins))
	for i, o := range t.Origins {
		items := make([]string, len(o.Items))
		for k, item := range o.Items {
			items[k] = diag.Escape(item)
		}
		out[i] = o.Key
		if len(items) > 0 {
			out[i] += ": " + strings.Join(items, ", ")
		}
		out[i] += fmt.Sprintf(" (%s:%d)", diag.Escape(o.Place.File), o.Place.Line)
	}
	return out
}

// withOrigins puts them below the rows of a table of tasks, behind what makes the task's edges.
func withOrigins(table string, w *haz.Workspace, ts []*haz.Task) string {
	var b strings.Builder
	for i, line := range strings.SplitAfter(table, "\n") {
		b.WriteString(line)
		if i == 0 || i > len(ts) {
			continue
		}
		for _, text := range slices.Concat(relationLines(w.Relations(ts[i-1].Index)), originTexts(ts[i-1])) {
			b.WriteString("  " + text + "\n")
		}
	}
	return b.String()
}
