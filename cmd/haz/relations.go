package main

import (
	"fmt"
	"strings"

	"github.com/haz-build/haz"
)

// Edges, and what makes them (DAG-027): of two tasks a reference, or an output and an input that meet.

// relationKeys are those of haz.Relation, in the order of reports.
var relationKeys = []string{"deps", "weakDeps", "after", "finalizer of"}

// relationTexts are the tasks that a key relates, each with the reference and its place.
func relationTexts(list []haz.Relation, key string) (texts []string) {
	for _, r := range list {
		if r.Key == key {
			texts = append(texts, r.Task.String()+relationOrigin(r, []string{r.Task.String()}))
		}
	}
	return texts
}

// relationOrigin says in parentheses which reference selects tasks, unless it is the name of the only one, and where it stands.
func relationOrigin(r haz.Relation, tasks []string) string {
	at := lineJSON(r.Place).String()
	if len(tasks) > 1 || r.Reference != tasks[0] {
		at = r.Reference + ", " + at
	}
	return " (" + at + ")"
}

// relationLines are a line for each reference, with the tasks that it selects: of many the first.
func relationLines(list []haz.Relation) (lines []string) {
	const most = 10
	for _, key := range relationKeys {
		var tasks [][]string
		var by []haz.Relation
		known := map[haz.Relation]int{}
		for _, r := range list {
			if r.Key != key {
				continue
			}
			same := r
			same.Task = haz.TaskID{}
			i, found := known[same]
			if !found {
				i = len(by)
				known[same], by, tasks = i, append(by, r), append(tasks, nil)
			}
			tasks[i] = append(tasks[i], r.Task.String())
		}
		for i, r := range by {
			shown := tasks[i]
			if n := len(shown); n > most {
				shown = append(shown[:most:most], fmt.Sprintf("... (%d in all)", n))
			}
			lines = append(lines, key+": "+strings.Join(shown, ", ")+relationOrigin(r, tasks[i]))
		}
	}
	return lines
}

// jsonRef is what relates a task to another one.
type jsonRef struct {
	Key       string `json:"key"` // the name of the list that has the task
	Task      string `json:"task"`
	Reference string `json:"reference"`
	jsonLine
}

func refsJSON(list []haz.Relation) (refs []jsonRef) {
	names := map[string]string{"deps": "deps", "weakDeps": "weak_deps", "after": "after", "finalizer of": "finalizer_of"}
	for _, r := range list {
		refs = append(refs, jsonRef{names[r.Key], r.Task.String(), r.Reference, lineJSON(r.Place)})
	}
	return refs
}

// edgeOrigin says what makes an edge, and where that stands: of a producer edge the input.
type edgeOrigin struct {
	Reference string `json:"reference,omitempty"`
	Output    string `json:"output,omitempty"`
	Input     string `json:"input,omitempty"`
	jsonLine
}

// originOf is that of an edge of the task's downstreams.
func originOf(w *haz.Workspace, task int, e haz.Edge) edgeOrigin {
	if ref := w.G.Says(task, e.Task, e); ref != nil {
		return edgeOrigin{Reference: ref.String(), jsonLine: lineJSON(ref.Place)}
	}
	in := w.W.Tasks[e.Task].Inputs[e.Input]
	return edgeOrigin{Output: w.W.Tasks[task].Outputs[e.Output].Text, Input: in.Text, jsonLine: lineJSON(in.Place)}
}
