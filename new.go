package haz

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/load"
)

// Declaration is a workspace made in Go. What a value means, and which are allowed, is what docs/workspace-files.md says of the key of
// its name; what is left empty is as if the key was not there.
//
// Not all of the files is here: how a run is shown (`output.mode`, `output.ui`) is for its observer to say, and what is to go from a cache
// (`cache.clean.max_age`) for CleanOptions, since OpenCache knows no workspace that is made in Go. What overlays, `inherit` and `defaults` save a writer of
// files, functions and variables do.
type Declaration struct {
	Projects    []ProjectDeclaration
	Infer       []string            // infer: "node", "go", "cargo", "uv": manifests on the disk add projects
	Scripts     bool                // infer: {node: {scripts: true}}, in place of "node": scripts of packages are tasks
	OnlyScripts []string            // infer: {node: {scripts: [build]}}, in place of that: those of these names
	Hash        string              // cache.hash
	Concurrency int                 // concurrency.default; 0: auto
	TagCaps     map[string]int      // concurrency.tags
	CancelGrace time.Duration       // execution.cancel_grace; 0: as if it was not there
	Umask       string              // execution.umask, "022"
	StrictEnv   bool                // env.strict
	Files       map[string][]string // files: sets by name

	CacheLocation string // cache.location; WithCacheDir and WithStateDir win
	MaxCacheSize  int64  // cache.clean.max_size, bytes: of a larger one, a run says so; 0: as if it was not there
}

// ProjectDeclaration is one project.
type ProjectDeclaration struct {
	Name    string
	Dir     string   // a folder from the root of the workspace, "/lib", that is there; "/" is the root itself
	Aliases []string // other names, that no other project has
	Tags    []string
	Uses    []string            // names of other projects: what `^uses:task` among its deps means
	Files   map[string][]string // files: sets by name
	Tasks   []TaskDeclaration

	StrictEnv, LaxEnv bool // env.strict is true, or false; neither: what the workspace says
}

// New is Open for a workspace that is declared here: dir, an absolute path of a folder on the host, is its root. Files that would say
// what the workspace is are neither needed nor looked at. Checks are those of Open, and the places of mistakes are tasks and projects:
// "task lib:build". Nothing of d is kept. Changes compare files of a base, so they know nothing of such a workspace.
func New(ctx context.Context, dir string, d Declaration, opts ...Option) (*Workspace, error) {
	declared, err := d.texts()
	if err != nil {
		return nil, err
	}
	return open(ctx, dir, declared, opts)
}

// texts spells d as files are spelled, a line for each thing that a mistake can be of: one loader, one set of checks.
func (d *Declaration) texts() (*load.Declared, error) {
	w := declaration{}
	w.line("the workspace", "projects: [")
	for i := range d.Projects {
		p := &d.Projects[i]
		w.line(p.String(), "  "+w.text(pattern.Escape(p.Dir))+",")
	}
	w.line("the workspace", "]")
	if d.OnlyScripts != nil {
		w.line("the workspace", "infer: {node: {scripts: "+w.list(d.OnlyScripts)+"}"+w.others(d.Infer)+"}")
	} else if d.Scripts {
		w.line("the workspace", "infer: {node: {scripts: true}"+w.others(d.Infer)+"}")
	} else if d.Infer != nil {
		w.line("the workspace", "infer: "+w.list(d.Infer))
	}
	w.line("the workspace", "cache: {")
	if d.Hash != "" {
		w.line("the workspace", "  hash: "+w.text(d.Hash)+",")
	}
	if d.CacheLocation != "" {
		w.line("the workspace", "  location: "+w.text(d.CacheLocation)+",")
	}
	if d.MaxCacheSize != 0 {
		w.line("the workspace", "  clean: {max_size: "+strconv.FormatInt(d.MaxCacheSize, 10)+"},")
	}
	w.line("the workspace", "}")
	w.line("the workspace", "concurrency: {default: "+orAuto(d.Concurrency)+", tags: {")
	for _, tag := range slices.Sorted(maps.Keys(d.TagCaps)) {
		w.line("the workspace", fmt.Sprintf("  %s: %d,", w.text(tag), d.TagCaps[tag]))
	}
	w.line("the workspace", "}}")
	w.line("the workspace", "execution: {")
	if d.CancelGrace != 0 {
		w.line("the workspace", "  cancel_grace: "+strconv.FormatFloat(d.CancelGrace.Seconds(), 'f', -1, 64)+",")
	}
	if d.Umask != "" {
		w.line("the workspace", "  umask: "+w.text(d.Umask)+",")
	}
	w.line("the workspace", "}")
	w.line("the workspace", "env: {"+strict(d.StrictEnv, false)+"}")
	w.files("the workspace", d.Files)
	all := &load.Declared{Settings: w.file("the workspace", "DISC-004"), Projects: map[string]config.File{}}
	bad := w.bad
	for i := range d.Projects {
		p := d.Projects[i].spell()
		bad = append(bad, p.bad...)
		all.Projects[d.Projects[i].String()] = p.file(d.Projects[i].String(), "DISC-008")
	}
	return all, bad.Err()
}

func (p *ProjectDeclaration) String() string { return "project " + p.Name + " in " + p.Dir }

func (p *ProjectDeclaration) spell() *declaration {
	w := &declaration{}
	w.line(p.String(), "name: "+w.text(p.Name))
	w.line(p.String(), "aliases: "+w.list(p.Aliases))
	w.line(p.String(), "tags: "+w.list(p.Tags))
	w.line(p.String(), "uses: "+w.list(p.Uses))
	w.files(p.String(), p.Files)
	w.line(p.String(), "env: {"+strict(p.StrictEnv, p.LaxEnv)+"}")
	w.line(p.String(), "tasks: {")
	for i := range p.Tasks {
		t := &p.Tasks[i]
		w.line("task "+p.Name+":"+t.Name, "  "+w.text(t.Name)+": {"+t.spell(w)+"},")
	}
	w.line(p.String(), "}")
	return w
}

// strict spells env.strict; who says both has said it twice, and is told so.
func strict(is, isNot bool) string {
	var said []string
	if is {
		said = append(said, "strict: true")
	}
	if isNot {
		said = append(said, "strict: false")
	}
	return strings.Join(said, ", ")
}

// declaration is a text of YAML with a name for each line.
type declaration struct {
	lines strings.Builder
	names []string
	odd   []string // texts of the host's that are not UTF-8: a quoted text cannot say them
	bad   diag.List
}

// line adds a line, which says what the named thing is.
func (w *declaration) line(name, line string) {
	w.lines.WriteString(line + "\n")
	w.names = append(w.names, name)
	for _, text := range w.odd {
		w.bad = append(w.bad, diag.Diagnostic{Code: "haz::cfg::002", Place: diag.Place{File: name}, Message: "this is not UTF-8: " + diag.Quote(text)})
	}
	w.odd = nil
}

// text is a text of the host's as YAML has it in double quotes, for the line that comes next: all escapes of Go's are known there.
func (w *declaration) text(text string) string {
	if !utf8.ValidString(text) {
		w.odd = append(w.odd, text)
	}
	return strconv.QuoteToASCII(text)
}

func (w *declaration) list(texts []string) string {
	list := make([]string, len(texts))
	for i, text := range texts {
		list[i] = w.text(text)
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// others are the ecosystems but node, as further keys of a map.
func (w *declaration) others(ecosystems []string) string {
	var b strings.Builder
	for _, e := range ecosystems {
		if e != "node" {
			b.WriteString(", " + w.text(e) + ": {}")
		}
	}
	return b.String()
}

// files adds named sets, each in a line.
func (w *declaration) files(name string, sets map[string][]string) {
	if len(sets) == 0 {
		return
	}
	w.line(name, "files: {")
	for _, set := range slices.Sorted(maps.Keys(sets)) {
		w.line(name, "  "+w.text(set)+": "+w.list(sets[set])+",")
	}
	w.line(name, "}")
}

func (w *declaration) file(name, rule string) config.File {
	return config.File{Name: name, Text: []byte(w.lines.String()), Rule: rule, Lines: w.names}
}

func orAuto(n int) string {
	if n == 0 {
		return "auto"
	}
	return strconv.Itoa(n)
}
