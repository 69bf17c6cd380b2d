// Package moving turns a workspace of another tool into one of haz: it reads what that tool's files say and gives the files to write.
// Nothing is written, and no tool is started.
//
// Each tool has a reader in a file of its own. Readers fill a draft, in our words; how a draft becomes files is in draft.go.
package moving

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/workspace/infer"
)

// Rules of `haz init --from` (chapter 3, section 9.3).
const (
	RuleFound  = "AUX-030" // which tool is meant
	RuleFree   = "AUX-031" // what exists is not touched
	RuleSource = "AUX-032" // a file of the tool that cannot be read as what it is
)

// File is one to be written.
type File struct {
	Name string // workspace-absolute
	Text []byte
}

// Plan is what to write.
type Plan struct {
	Files    []File    // in the order in which they are written: the workspace file is the last
	Notes    int       // comments about what does not carry over
	Warnings diag.List // of the manifests
	Try      string    // what to run first: "^:build"; "" where there are no tasks
	Looked   []string  // files that are there and that count beside those to be written: manifests, haz.yml
	From     Found     // of Begin: the tool whose files say it; zero where manifests do
	Beside   []Found   // of Begin: files of other tools; Tool is "" where none of Tools reads them
}

// Options are what the reader cannot see on the disk of the workspace.
type Options struct {
	Tracked  []string // the files that git tracks, workspace-absolute and sorted; nil where there is no git
	Folder   string   // the name of the folder that the workspace is
	OS, Arch string   // of the machine, as Go calls them: what templates ask for
}

// tool is one that can be read.
type tool struct {
	name  string
	files []string // the first that is there says that the tool is used
	// plain says that other tools build on these files: where one of them is found, this one is not meant.
	plain bool
	// whole says that it runs the tasks of all packages, so that nobody who has it means the manifests alone.
	whole bool
	read  func(ctx context.Context, s *source)
}

var tools = []tool{
	{name: "nx", files: []string{"/nx.json"}, whole: true, read: readNx},
	{name: "turbo", files: []string{"/turbo.json", "/turbo.jsonc"}, whole: true, read: readTurbo},
	{name: "moon", files: moonFiles, whole: true, read: readMoon},
	{name: "task", files: slashed(taskFileNames), read: readTask},
	{name: "mise", files: miseFiles, read: readMise},
	{name: "make", files: makeFiles, read: readMake},
	{name: "npm", files: []string{"/package.json"}, read: readNPM, plain: true},
}

func slashed(names []string) (out []string) {
	for _, name := range names {
		out = append(out, "/"+name)
	}
	return out
}

// Tools are the names of the tools that can be read.
func Tools() []string {
	var names []string
	for _, t := range tools {
		names = append(names, t.name)
	}
	return names
}

// Found is a tool whose files lie in the root of the workspace.
type Found struct {
	Tool, File string // "turbo", "turbo.json"
}

// Find are the tools of a workspace, in the order of Tools, less the package manager where another tool runs its scripts.
func Find(disk fsys.FS) (found []Found) {
	d := infer.NewDisk(disk)
	for _, t := range tools {
		if t.plain && len(found) > 0 {
			continue
		}
		for _, file := range t.files {
			if d.Has(file) {
				found = append(found, Found{t.name, file[1:]})
				break
			}
		}
	}
	return found
}

// source is a workspace while it is read.
type source struct {
	disk     *infer.Disk
	fs       fsys.FS
	file     string // the first of the tool's files that is there; "" for none
	tracked  []string
	options  Options
	draft    draft
	members  *packages // nil: the reader asked for none
	looked   []string  // patterns of the manifests that say which packages there are
	mistakes diag.List // errors
	warnings diag.List
}

// entries are those of a folder, in the order of their names.
func (s *source) entries(dir string) []fsys.Entry {
	list := slices.Clone(s.disk.List(dir))
	slices.SortFunc(list, func(a, b fsys.Entry) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// bad notes a mistake in a file of the tool.
func (s *source) bad(d diag.Diagnostic) {
	d.Code = RuleSource
	s.mistakes = append(s.mistakes, d)
}

// Begin makes the plan of somebody who names no tool: what the files of the only tool say that runs the tasks of all packages here, and
// otherwise what the manifests of packages make one think of, which has a place for files of haz that are there.
func Begin(ctx context.Context, disk fsys.FS, o Options) (Plan, diag.List) {
	var whole []Found
	for _, f := range Find(disk) {
		if slices.ContainsFunc(tools, func(t tool) bool { return t.whole && t.name == f.Tool }) {
			whole = append(whole, f)
		}
	}
	if len(whole) != 1 {
		return propose(ctx, disk, o)
	}
	from := whole[0]
	plan, mistakes := Read(ctx, disk, from.Tool, o)
	if slices.ContainsFunc(mistakes, func(d diag.Diagnostic) bool { return d.Code == RuleFree }) {
		return propose(ctx, disk, o)
	}
	plan.From = from
	plan.Beside = slices.DeleteFunc(beside(infer.NewDisk(disk)), func(f Found) bool { return f.Tool == from.Tool })
	return plan, mistakes
}

// Read makes the plan for a workspace of one of Tools; disk is rooted at it. Where there are mistakes there is no plan.
func Read(ctx context.Context, disk fsys.FS, name string, o Options) (Plan, diag.List) {
	s := &source{disk: infer.NewDisk(disk), fs: disk, tracked: o.Tracked, options: o}
	for _, t := range tools {
		if t.name != name {
			continue
		}
		for _, file := range t.files {
			if s.file == "" && s.disk.Has(file) {
				s.file = file
			}
		}
		if s.file == "" {
			return Plan{}, diag.List{{Code: RuleFound, Message: "there is no " + t.files[0][1:] + " here"}}
		}
		s.draft.tool = t.name
		t.read(ctx, s)
	}
	if ctx.Err() != nil {
		return Plan{}, diag.List{{Code: RuleFound, Message: ctx.Err().Error()}}
	}
	if len(s.mistakes) == 0 {
		s.infer()
	}
	try := s.draft.try()
	files, notes := s.draft.files()
	s.existing(files)
	if len(s.mistakes) > 0 {
		return Plan{}, s.mistakes.Sorted()
	}
	return Plan{Files: files, Notes: notes, Warnings: s.warnings.Sorted(), Try: try, Looked: s.manifests()}, nil
}

// manifests are the files that say which packages there are, where that is left to them.
func (s *source) manifests() []string {
	if len(s.draft.infer) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.looked), func(name string) bool { return !s.disk.Has(name) })
}

// existing refuses what would be overwritten, and overlays that would have their say as well.
func (s *source) existing(files []File) {
	taken := func(name, hint string) {
		s.mistakes = append(s.mistakes, diag.Diagnostic{Code: RuleFree, Place: diag.Place{File: name[1:]}, Message: "this file exists, and is not touched", Hint: hint})
	}
	planned := map[string]bool{}
	for _, p := range s.draft.projects { // a haz.yml there would have its say
		if p.inferred {
			files = append(slices.Clip(files), File{Name: path.Join(p.dir, layout.ProjectFile)})
		}
	}
	for _, f := range files {
		if planned[f.Name] {
			continue
		}
		planned[f.Name] = true
		if _, err := s.fs.Lstat(f.Name); err == nil {
			taken(f.Name, "move it out of the way, and add to the new one what it says more")
		}
	}
	for _, e := range s.disk.List(tasksDir) {
		if name := tasksDir + "/" + e.Name; !planned[name] {
			taken(name, "an overlay that exists would give tasks to the new projects as well; move it out of the way")
		}
	}
}

// lazily compiles an expression when it is first used. All of ours together were a tenth of the start of the program.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
