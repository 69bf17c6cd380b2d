package main

import (
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/graph/query"
)

func queryCommand() *command {
	expr := func(long, atom, help string, c complement) *option {
		return text(long, "EXPR", help+" (atoms: "+atom+")").completedBy(c)
	}
	return &command{Command: cli.Command{Name: "query", ArgsUsage: "[TASK...]", Usage: "list tasks that match filters",
		Description: paragraphs(
			"Lists the tasks that pass every given filter, one `project:task` a line. Candidates are the given tasks; without TASK those of this directory's project, or of the workspace outside of every project.",
			"EXPR combines atoms with & (and), | (or), ! (not) and parentheses. See `haz help query`.",
			"To run what a query finds: `haz run --filter QUERY`, which runs nothing when nothing matches.",
		),
		Flags: slices.Concat([]cli.Flag{
			expr("tags", "tag names", "the task's project carries the tag", tags),
			expr("projects", "project names", "the task belongs to the project", projects),
			expr("tasks", "task names", "the task has the name", taskNames),
			expr("inputs", "path patterns", "an input pattern of the task has a path in common with the pattern", nothing),
			expr("outputs", "path patterns", "an output pattern of the task has a path in common with the pattern", nothing),
			expr("child-of", "name:TASK, project:NAME, tag:NAME", "a direct dependency of the task is one of these", nothing),
			expr("parent-of", "name:TASK, project:NAME, tag:NAME", "the task is a direct dependency of one of these", nothing),
			expr("depends-on", "name:TASK, project:NAME, tag:NAME", "the task depends on one of these, directly or not", nothing),
			expr("ancestor-of", "name:TASK, project:NAME, tag:NAME", "one of these depends on the task, directly or not", nothing),
			toggle("has-deps", "the task has dependencies"),
			toggle("no-deps", "the task has none"),
			toggle("has-inputs", "the task has inputs"),
			toggle("no-inputs", "the task has none"),
			toggle("has-outputs", "the task has outputs"),
			toggle("no-outputs", "the task has none"),
			toggle("mutex", "the task declares a mutex"),
			filterOption(),
			excludeOption(),
		}, changeOptions(), []cli.Flag{
			toggle("workspace", "ask about all tasks, whatever the directory"),
			toggle("fail-empty", "exit 1 when no task matches, so that `t=$(haz query --fail-empty ...) && haz run $t` runs nothing then"),
			formatOption("plain (default) or json", "plain", "json"),
		}),
		UsageText: lines("haz query --tags 'go & !slow'", "haz query --depends-on name:build --workspace", "haz query --inputs '/lib/**'", "haz query '*:test' --affected"),
	}, completes: tasks, do: doQuery, noRefs: []string{"workspace"}, exclusive: [][]string{
		{"has-deps", "no-deps"}, {"has-inputs", "no-inputs"}, {"has-outputs", "no-outputs"},
		{"git-changed", "git-staged", "git-changed-since", "affected"},
	}, needs: [][2]string{{"base", "affected"}}}
}

// doQuery is `haz query`.
func doQuery(v *invocation) error {
	wanted, err := v.wanted()
	if err != nil {
		return err
	}
	wanted.All = !wanted.Workspace && len(wanted.References) == 0
	w, err := v.open()
	if err != nil {
		return err
	}
	defer w.Close()
	selected, err := w.Find(v.ctx, wanted)
	if err != nil {
		return err
	}
	v.said(selected)
	found := make([]*haz.Task, len(selected.Targets))
	for i, t := range selected.Targets {
		found[i] = w.W.Tasks[t]
	}
	if v.value("format") == "json" {
		err = query.WriteJSON(v.out, found)
	} else {
		err = query.WritePlain(v.out, found)
	}
	if err == nil && len(found) == 0 && v.has("fail-empty") {
		v.tell("haz: query: no task matches\n")
		return exit(1)
	}
	return err
}
