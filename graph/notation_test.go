package graph

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// parseWorkspace makes a workspace of a short notation, one task or project a line:
//
//	project NAME [dir=/DIR] [tags=g,h] [uses=a,b]
//	PROJECT:TASK [deps=REF;REF] [narrow=REF] [streams=REF] [weak=REF] [after=REF] [in=PATTERN;PATTERN] [exclude=PATTERN] [out=PATTERN] [overlay=NAME] [inherits=NAME] [nocache] [cache=true]
//
// A project that is only used has the directory /NAME. Every value stands in the file PROJECT/haz.yml, at its line and column
// of the notation.
func parseWorkspace(text string) (*workspace.Workspace, error) {
	w := &workspace.Workspace{Root: "/ws", Mode: workspace.Explicit}
	projects := map[string]*workspace.Project{}
	project := func(name string) *workspace.Project {
		p := projects[name]
		if p == nil {
			p = &workspace.Project{Name: name, Dir: "/" + name, File: name + "/haz.yml"}
			projects[name] = p
			w.Projects = append(w.Projects, p)
		}
		return p
	}
	overlays := map[string]bool{}
	for i, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if fields[0] == "project" {
			p := project(fields[1])
			for _, f := range fields[2:] {
				switch key, value, _ := strings.Cut(f, "="); key {
				case "dir":
					p.Dir, p.File = value, path.Join(value[1:], "haz.yml")
				case "tags":
					p.Tags = strings.Split(value, ",")
				case "uses":
					at := diag.Place{File: p.File, Line: i + 1, Column: strings.Index(line, "uses=") + 6, Source: line}
					var uses []workspace.Use
					for u := range strings.SplitSeq(value, ",") {
						uses = append(uses, workspace.Use{Name: u, Place: at})
					}
					p.SetUses(uses)
				}
			}
			continue
		}
		name, task, _ := strings.Cut(fields[0], ":")
		p := project(name)
		t := &workspace.Task{ID: workspace.TaskID{Project: name, Task: task}, Project: p, Cache: true, Kind: workspace.Command, Argv: []string{"true"}}
		file := p.File
		if at := strings.Index(line, "overlay="); at >= 0 {
			t.Overlay, _, _ = strings.Cut(line[at+len("overlay="):], " ")
			file = ".haz/tasks/" + t.Overlay + ".yml"
			if !overlays[t.Overlay] {
				overlays[t.Overlay] = true
				w.Overlays = append(w.Overlays, &workspace.Overlay{Name: t.Overlay, File: file})
			}
		}
		place := func(column int, text string) diag.Place {
			return diag.Place{File: file, Line: i + 1, Column: column + 1, EndLine: i + 1, EndColumn: column + 1 + len(text), Source: line}
		}
		t.Place = place(0, fields[0])
		for _, f := range fields[1:] {
			key, values, _ := strings.Cut(f, "=")
			column := strings.Index(line, f) + len(key) + 1
			for _, v := range strings.Split(values, ";") {
				at := place(column, v)
				column += len(v) + 1
				switch key {
				case "deps", "narrow", "streams", "weak", "after":
					r, err := workspace.ParseReference(v, false)
					if err != nil {
						return nil, fmt.Errorf("line %d: %s: %w", i+1, v, err)
					}
					switch key {
					case "weak":
						t.WeakDeps = append(t.WeakDeps, workspace.RefDecl{Ref: r, Place: at})
					case "after":
						t.After = append(t.After, workspace.RefDecl{Ref: r, Place: at})
					default:
						t.Deps = append(t.Deps, workspace.RefDecl{Ref: r, Place: at, Narrow: key == "narrow", Streams: key == "streams"})
					}
				case "in", "out", "exclude":
					pattern, err := pattern.Parse(v)
					if err != nil {
						return nil, fmt.Errorf("line %d: %w", i+1, err)
					}
					d := workspace.PatternDecl{Text: v, Pattern: pattern.Anchor(p.Dir), Place: at}
					switch key {
					case "in":
						t.Inputs = append(t.Inputs, d)
					case "out":
						t.Outputs = append(t.Outputs, d)
					default:
						t.Exclude = append(t.Exclude, d)
					}
				case "cache":
					t.SaysCache = at
				case "nocache":
					t.Cache = false
				case "inherits":
					t.Inherits = append(t.Inherits, v)
				case "overlay":
				default:
					return nil, fmt.Errorf("line %d: what is %s?", i+1, key)
				}
			}
		}
		p.Tasks = append(p.Tasks, t)
		w.Tasks = append(w.Tasks, t)
	}
	slices.SortFunc(w.Projects, func(a, b *workspace.Project) int { return strings.Compare(a.Name, b.Name) })
	for _, p := range w.Projects {
		slices.SortFunc(p.Tasks, func(a, b *workspace.Task) int { return a.ID.Compare(b.ID) })
	}
	slices.SortFunc(w.Tasks, func(a, b *workspace.Task) int { return a.ID.Compare(b.ID) })
	for i, t := range w.Tasks {
		t.Index = i
	}
	return w, nil
}

func mustParse(t testing.TB, text string) *workspace.Workspace {
	t.Helper()
	w, err := parseWorkspace(text)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func mustBuild(t testing.TB, text string) *Graph {
	t.Helper()
	g, diags := Build(mustParse(t, text))
	if g == nil {
		t.Fatal(diags.Render(diag.Style{}))
	}
	return g
}
