package main

import (
	"github.com/haz-build/haz"
	"github.com/haz-build/haz/graph/query"
)

// doQuery is `haz query`.
func doQuery(v *invocation) error {
	q := query.Query{HasDeps: v.has("has-deps"), NoDeps: v.has("no-deps"), HasInputs: v.has("has-inputs"), NoInputs: v.has("no-inputs"),
		HasOutputs: v.has("has-outputs"), NoOutputs: v.has("no-outputs"), Mutex: v.has("mutex")}
	for _, o := range query.Options {
		if v.has(string(o)) {
			q.Filters = append(q.Filters, query.Filter{Option: o, Expr: v.value(string(o))})
		}
	}
	if err := q.Check(); err != nil {
		return err
	}
	w, err := v.open()
	if err != nil {
		return err
	}
	defer w.Close()
	var found []*haz.Task
	if found, err = q.Run(w.G, w.Scope(v.has("workspace")), w.Bearing()); err != nil {
		return err
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
