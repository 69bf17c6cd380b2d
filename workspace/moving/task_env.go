package moving

import (
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	shell "github.com/haz-build/haz/workspace/script"
)

// environment are the variables that the task sets.
func (r *taskRun) environment() error {
	var chain []*taskFile
	for f := r.def.file; f != nil; f = f.above {
		chain = append([]*taskFile{f}, chain...)
	}
	for _, f := range chain {
		r.at = f.dir
		if err := r.exports(f.env); err != nil {
			return err
		}
	}
	r.at = r.dir
	if err := r.exports(r.def.env); err != nil {
		return err
	}
	for _, i := range slices.Backward(r.def.dotenv) {
		if file, ok := r.envFile(i, r.scope); ok {
			r.task.files = append(r.task.files, file)
		} else {
			r.task.notes = append(r.task.notes, note{i.place, diag.Quote(i.text) + " does not carry over: it is no path in the workspace"})
		}
	}
	return nil
}

// exports sets variables of the environment.
func (r *taskRun) exports(env []taskVar) error {
	for _, k := range env {
		v, err := r.value(k)
		if err != nil {
			return fmt.Errorf("%s: %w", diag.Quote(k.name), err)
		}
		if workspace.CheckEnvName(k.name) != nil {
			continue
		}
		r.task.override = slices.DeleteFunc(r.task.override, func(o [2]string) bool { return o[0] == k.name })
		if isSet(r.draft.defaults.override, k.name) && slices.Contains(r.draft.defaults.override, [2]string{k.name, v.text}) {
			continue
		}
		export := "export " + k.name + "="
		r.recipe.head = slices.DeleteFunc(r.recipe.head, func(l string) bool { return strings.HasPrefix(l, export) })
		switch {
		case k.kind == scriptVar:
			r.recipe.head = append(r.recipe.head, "export "+k.name) // behind the line that sets it
		case strings.Contains(v.text, wordMark):
			text, ok := shell.Expand(export+`"`+v.text+`"`, r.words.expansions)
			if !ok {
				return fmt.Errorf("%s: it has text that no shell expands", diag.Quote(k.name))
			}
			r.recipe.head = append(r.recipe.head, text)
		case byHost[k.name] && !ownDefault[k.name+"="+v.text]:
			r.recipe.head = append(r.recipe.head, export+`"${`+k.name+":-"+v.text+`}"`)
		case ownDefault[k.name+"="+v.text]:
		default:
			r.task.override = append(r.task.override, [2]string{k.name, v.text})
		}
	}
	return nil
}
