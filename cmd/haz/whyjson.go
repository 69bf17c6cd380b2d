package main

import (
	"github.com/haz-build/haz"
	"github.com/haz-build/haz/workspace"
)

type jsonInput struct {
	Path      string   `json:"path"`
	Digest    *string  `json:"digest"`
	Producers []string `json:"producers"`
}

type jsonAction struct {
	Kind   string   `json:"kind"`
	Argv   []string `json:"argv,omitempty"`
	Shell  string   `json:"shell,omitempty"`
	Script *string  `json:"script,omitempty"`
}

type jsonMutex struct {
	Scope string `json:"scope"`
	Name  string `json:"name"`
	Mode  string `json:"mode"`
}

type jsonEnv struct {
	FromHost []string          `json:"from_host"`
	Override map[string]string `json:"override"`
}

type jsonDiff struct {
	Sign   string `json:"sign"`
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Detail string `json:"detail"`
}

type jsonUpstream struct {
	Task  string     `json:"task"`
	Since string     `json:"diff_since_run"`
	Diff  []jsonDiff `json:"diff"`
}

type jsonWhy struct {
	Project   string         `json:"project"`
	Task      string         `json:"task"`
	Action    jsonAction     `json:"action"`
	Inputs    []jsonInput    `json:"inputs"`
	Outputs   []string       `json:"outputs"`
	Deps      []string       `json:"deps"`
	WeakDeps  []string       `json:"weak_deps"`
	Mutex     *jsonMutex     `json:"mutex"`
	Keeps     bool           `json:"incremental,omitempty"`
	Env       jsonEnv        `json:"env"`
	Source    string         `json:"source"`
	Key       string         `json:"cache_key"`
	Lookup    string         `json:"cache_lookup"`
	Since     *string        `json:"diff_since_run,omitempty"`
	Diff      []jsonDiff     `json:"diff,omitempty"`
	Upstreams []jsonUpstream `json:"upstream_diffs,omitempty"`
}

// whyJSON is the report for machines.
func whyJSON(e *haz.Explanation) any {
	t := e.Task
	doc := jsonWhy{Project: t.ID.Project, Task: t.ID.Task, Action: actionJSON(t), Inputs: []jsonInput{}, Outputs: texts(t.Outputs),
		Deps: ids(e.Deps), WeakDeps: ids(e.WeakDeps), Mutex: mutexJSON(t), Keeps: t.Incremental, Source: source(t), Key: e.Key, Lookup: e.Lookup,
		Env: jsonEnv{FromHost: sortedCopy(t.FromHost), Override: t.Override}}
	if doc.Env.Override == nil {
		doc.Env.Override = map[string]string{}
	}
	if doc.Key == "" {
		doc.Key = "unknown"
	}
	for _, in := range e.Inputs {
		x := jsonInput{Path: in.Path, Producers: ids(in.Producers)}
		if in.Digest != "" {
			x.Digest = &in.Digest
		}
		doc.Inputs = append(doc.Inputs, x)
	}
	if e.Last != nil {
		doc.Since = &e.Last.Run
		doc.Diff = diffJSON(e.Diffs)
	}
	for _, u := range e.Upstreams {
		doc.Upstreams = append(doc.Upstreams, jsonUpstream{u.Task.String(), u.Last.Run, diffJSON(u.Diffs)})
	}
	return doc
}

func diffJSON(diffs []haz.Difference) (out []jsonDiff) {
	for _, d := range diffs {
		out = append(out, jsonDiff{string(d.Sign), d.Kind, d.Name, d.Detail})
	}
	return out
}

func actionJSON(t *haz.Task) jsonAction {
	if t.Kind == workspace.Shell {
		return jsonAction{Kind: "shell", Shell: t.Shell, Script: &t.Script}
	}
	return jsonAction{Kind: "command", Argv: t.Argv}
}

func mutexJSON(t *haz.Task) *jsonMutex {
	if t.Mutex == nil {
		return nil
	}
	m := &jsonMutex{Scope: "workspace", Name: t.Mutex.Name, Mode: "exclusive"}
	if t.Mutex.ProjectScope {
		m.Scope = "project"
	}
	if t.Mutex.Shared {
		m.Mode = "shared"
	}
	return m
}

// source is where a task's body comes from: the project, or the name of an overlay.
func source(t *haz.Task) string {
	if t.Overlay == "" {
		return "project"
	}
	return t.Overlay
}

func texts(ds []workspace.PatternDecl) []string {
	out := make([]string, len(ds))
	for i, d := range ds {
		out[i] = d.Text
	}
	return out
}
