package main

import (
	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/graph/query"
)

// How the commands that are about some tasks are told which: tasks by name, and options that narrow them. Each command takes some of the
// options, and wanted reads those that it has.

// filterOptions keep tasks by what they are.
func filterOptions() []cli.Flag {
	expr := func(o query.Option, atoms, help string, c complement) cli.Flag {
		return text(string(o), "EXPR", "only tasks "+help+" (atoms: "+atoms+"; haz help query)").completedBy(c)
	}
	return []cli.Flag{
		expr(query.Tags, "tag names", "whose project carries the tag", tags),
		expr(query.Projects, "project names", "of the project", projects),
		expr(query.Tasks, "task names", "of the name", taskNames),
		filterOption(),
	}
}

// filterOption is the one expression that says all that others say.
func filterOption() cli.Flag {
	return text(string(query.All), "QUERY", "only tasks that match, like 'name:test & tag:go & !depends-on(project:slow)' (haz help query)")
}

func excludeOption() cli.Flag {
	return repeatable(text("exclude", "REF", "none of the tasks that REF names, which may hold wildcards; one that another task needs is run all the same").completedBy(tasks))
}

// changeOptions keep tasks that changes affect.
func changeOptions() []cli.Flag {
	return append([]cli.Flag{
		toggle("git-changed", "only tasks with an input that differs from HEAD, or is untracked"),
		toggle("git-staged", "only tasks with an input that is staged"),
		text("git-changed-since", "REV", "only tasks with an input that differs from REV (A...B: from the merge base), or is untracked").checked(checkRevision),
	}, affectedOptions()...)
}

func affectedOptions() []cli.Flag {
	return []cli.Flag{
		toggle("affected", "tasks whose inputs or definitions changed since the base branch, and everything downstream of them"),
		text("base", "REV", "with --affected: the base, instead of what CI says, origin/HEAD, main or master").checked(checkRevision),
	}
}

// wanted is what the line says of which tasks the command is for, as far as it can be read without a workspace.
func (v *invocation) wanted() (haz.Selection, error) {
	s := haz.Selection{All: v.has("all"), Workspace: v.has("workspace"), Query: v.query()}
	var bad diag.List
	collect := func(err error) {
		if err != nil {
			bad = append(bad, diagnose(err, "")...)
		}
	}
	var err error
	s.References, err = parseReferences(v, v.refs(), "target resolution failed")
	collect(err)
	if out := read[[]string](v, "exclude"); len(out) > 0 {
		s.Exclude, err = parseReferences(v, out, "option --exclude")
		collect(err)
	}
	collect(s.Query.Check())
	if len(bad) > 0 {
		return s, &diag.Errors{List: bad}
	}
	switch {
	case v.has("git-changed"):
		s.Changes = &haz.Changes{Kind: haz.Changed}
	case v.has("git-staged"):
		s.Changes = &haz.Changes{Kind: haz.Staged}
	case v.has("git-changed-since"):
		s.Changes = &haz.Changes{Kind: haz.ChangedSince, Revision: v.value("git-changed-since")}
	case v.has("affected"):
		s.Changes = &haz.Changes{Kind: haz.Affected, Revision: v.value("base")}
	}
	if s.Changes != nil {
		s.Changes.Environment, s.Changes.StartedIn = v.environ, v.started
	}
	return s, nil
}

// selects reports whether a selection says what it is about, so that something can be taken from it.
func selects(s haz.Selection) bool {
	s.Exclude = nil
	return s.All || s.Workspace || narrows(s)
}

// narrows reports whether a selection says more than a scope.
func narrows(s haz.Selection) bool {
	return s.Changes != nil || len(s.References)+len(s.Exclude) > 0 || !s.Query.Empty()
}

// query is the filters of the line.
func (v *invocation) query() query.Query {
	q := query.Query{HasDeps: v.has("has-deps"), NoDeps: v.has("no-deps"), HasInputs: v.has("has-inputs"), NoInputs: v.has("no-inputs"),
		HasOutputs: v.has("has-outputs"), NoOutputs: v.has("no-outputs"), Mutex: v.has("mutex")}
	for _, o := range query.Options {
		switch {
		case o == query.Projects && find(v.line.here(), "--"+string(o)).isSwitch(): // of list and graph
		case v.has(string(o)):
			q.Filters = append(q.Filters, query.Filter{Option: o, Expr: v.value(string(o))})
		}
	}
	return q
}

// isSwitch reports whether there is such an option, and it takes no value.
func (o *option) isSwitch() bool { return o != nil && o.Arg == "" }

// said tells what a selection has to say besides.
func (v *invocation) said(s *haz.Selected) {
	v.warn(s.Warnings)
	if v.has("quiet") {
		return
	}
	for _, note := range s.Notes {
		v.tell("haz: " + note + "\n")
	}
}
