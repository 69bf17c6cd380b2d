package haz

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/load"
)

// Reference names tasks, as in configuration files; a bare task name is one more form here.
type Reference = workspace.Reference

// Project and Task are what the workspace declares.
type (
	Project = workspace.Project
	Task    = workspace.Task
)

// Difference is one component of a key that is not what it was.
type Difference = key.Difference

// Edge and EdgeKind are an edge of the graph, and its kind.
type (
	Edge     = graph.Edge
	EdgeKind = graph.EdgeKind
)

const (
	Hard     = graph.Hard
	Soft     = graph.Soft
	Producer = graph.Producer
	Final    = graph.Final
)

// ParseReference reads a reference as people type it.
func ParseReference(text string) (Reference, error) { return workspace.ParseReference(text, true) }

// ParseDuration reads "90d" or "7d12h" (haz::cfg::034).
func ParseDuration(text string) (time.Duration, error) { return config.ParseDuration(text) }

// ParsePeriod reads "10m", "1m30s" or "500ms" (haz::cfg::080).
func ParsePeriod(text string) (time.Duration, error) { return config.ParsePeriod(text) }

// ParseSize reads "5GiB" (haz::cfg::035), in bytes.
func ParseSize(text string) (int64, error) { return config.ParseSize(text) }

// Bearing is the project that bears the directory the workspace was opened from; nil when none does (EXEC-022).
func (w *Workspace) Bearing() *Project { return load.Bearing(w.W, w.o.host, w.dir) }

// Meant is a hint for a text that was given as a task and selects none: what to type instead; "" when nothing comes to mind.
func (w *Workspace) Meant(text string) string {
	home, _ := w.hostEnv().Lookup("HOME")
	return w.W.Meant(workspace.Typed{Text: text, Dir: load.Inside(w.W, w.o.host, w.dir), Home: home, Bearing: w.Bearing()})
}

// Hint is the advice for a text that was given as a task, of which err says why it selects none: what to type instead, "" when nothing comes to
// mind. A text that looks like a path, or like what other tools call a task, is first taken for that.
func (w *Workspace) Hint(text string, err error) string {
	var s *workspace.SelectError
	if !errors.As(err, &s) || s.Hint == "" {
		return w.Meant(text)
	}
	if w.W.Project(text) != nil || !strings.Contains(text, ":") && strings.ContainsAny(text, "@/.") {
		return cmp.Or(w.Meant(text), s.Hint)
	}
	return s.Hint
}

// Scope is the tasks that a command without targets is about: those of the bearing project, or all tasks when there is none, when that is the root
// of a workspace of several, or everything is asked for. Canonical order.
func (w *Workspace) Scope(everything bool) []*Task {
	if p := w.Bearing(); p != nil && !everything && !w.W.IsAmongOthers(p) {
		return p.Tasks
	}
	return w.W.Tasks
}
