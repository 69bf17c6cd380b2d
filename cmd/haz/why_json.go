package main

import (
	"cmp"

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

type jsonTool struct {
	Name   string  `json:"name"`
	Digest *string `json:"digest"` // null: absent
	File   string  `json:"file,omitempty"`
}

type jsonLock struct {
	File     string  `json:"file"`
	Packages int     `json:"packages"`
	Whole    bool    `json:"whole"`
	Digest   *string `json:"digest"` // null: there is no such file
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
	Project  string      `json:"project"`
	Task     string      `json:"task"`
	Action   jsonAction  `json:"action"`
	Args     []string    `json:"arguments,omitempty"`
	Inputs   []jsonInput `json:"inputs"`
	Locks    []jsonLock  `json:"lock_files,omitempty"`
	Outputs  []string    `json:"outputs"`
	Deps     []string    `json:"deps"`
	WeakDeps []string    `json:"weak_deps"`
	After    []string    `json:"after,omitempty"`
	Final    []string    `json:"finalizer_of,omitempty"`
	Refs     []jsonRef   `json:"references,omitempty"`
	Mutex    *jsonMutex  `json:"mutex"`
	Keeps    bool        `json:"incremental,omitempty"`
	jsonAttempts
	jsonSaid
	Env struct {
		FromHost  []string          `json:"from_host"`
		Override  map[string]string `json:"override"`
		Pass      []string          `json:"pass,omitempty"`
		Files     []string          `json:"files,omitempty"`
		Strict    bool              `json:"strict,omitempty"`
		Passed    []string          `json:"passed,omitempty"`
		ByDefault []string          `json:"passed_by_default"`
	} `json:"env"`
	Tools     []jsonTool     `json:"tools"`
	Source    string         `json:"source"`
	Inherited []jsonOrigin   `json:"inherited,omitempty"`
	Key       string         `json:"cache_key"`
	Lookup    string         `json:"cache_lookup"`
	OtherArgs *[]string      `json:"last_run_arguments,omitempty"` // where they are others
	MadeOn    int            `json:"made_on_attempt,omitempty"`    // where that was not the first
	Since     *string        `json:"diff_since_run,omitempty"`
	Diff      []jsonDiff     `json:"diff,omitempty"`
	Upstreams []jsonUpstream `json:"upstream_diffs,omitempty"`
}

// whyJSON is the report for machines.
func whyJSON(e *haz.Explanation) any {
	t := e.Task
	doc := jsonWhy{Project: t.ID.Project, Task: t.ID.Task, Action: actionJSON(t), Args: t.Arguments, Inputs: []jsonInput{}, Outputs: texts(t.Outputs),
		Deps: ids(e.Deps), WeakDeps: ids(e.WeakDeps), After: ids(e.After), Final: ids(e.Final), Refs: refsJSON(e.Relations), Mutex: mutexJSON(t), Keeps: t.Incremental, jsonAttempts: attemptsJSON(t), jsonSaid: saidJSON(t), Source: cmp.Or(t.Overlay, "project"), Inherited: originsJSON(t), Key: cmp.Or(e.Key, "unknown"), Lookup: e.Lookup}
	doc.Env.FromHost, doc.Env.Override = sortedCopy(t.FromHost), t.Override
	doc.Env.Pass, doc.Env.Strict, doc.Env.Passed, doc.Env.ByDefault = sortedCopy(t.Pass), t.Strict, sortedCopy(e.Passed), sortedCopy(e.PassedByDefault)
	for _, f := range t.EnvFiles {
		doc.Env.Files = append(doc.Env.Files, f.Text)
	}
	if doc.Env.Override == nil {
		doc.Env.Override = map[string]string{}
	}
	for _, in := range e.Inputs {
		x := jsonInput{Path: in.Path, Producers: ids(in.Producers)}
		if in.Digest != "" {
			x.Digest = &in.Digest
		}
		doc.Inputs = append(doc.Inputs, x)
	}
	for i, l := range e.Locks {
		x := jsonLock{File: l.File, Packages: l.Packages, Whole: l.Whole}
		if l.Digest != "" {
			x.Digest = &e.Locks[i].Digest
		}
		doc.Locks = append(doc.Locks, x)
	}
	doc.Tools = make([]jsonTool, len(e.Tools))
	for i, t := range e.Tools {
		doc.Tools[i] = jsonTool{Name: t.Name, File: t.File}
		if t.Digest != "" {
			doc.Tools[i].Digest = &e.Tools[i].Digest
		}
	}
	if e.OtherRun != nil {
		args := append([]string{}, e.OtherRun.Arguments...)
		doc.OtherArgs = &args
	}
	if e.Stored != nil && e.Stored.Attempt > 1 {
		doc.MadeOn = e.Stored.Attempt
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

func texts(ds []workspace.PatternDecl) []string { return workspace.Texts(ds) }

// jsonOrigin says where values stand that are not in the task's own body.
type jsonOrigin struct {
	Key   string   `json:"key"`
	Items []string `json:"items,omitempty"`
	File  string   `json:"file"`
	Line  int      `json:"line"`
}

func originsJSON(t *haz.Task) (list []jsonOrigin) {
	for _, o := range t.Origins {
		list = append(list, jsonOrigin{o.Key, o.Items, o.Place.File, o.Place.Line})
	}
	return list
}
