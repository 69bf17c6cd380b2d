package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/workspace/git"
	"github.com/haz-build/haz/workspace/moving"
)

// anyTool is the value of --from where the tool is to be found.
const anyTool = "auto"

func fromOption() *option {
	o := choice("from", "TOOL", "tool", "write the files of haz for a workspace of another tool: "+strings.Join(moving.Tools(), ", ")+"; without a word, of the one that is found here", append(moving.Tools(), anyTool)...)
	o.bare = anyTool
	return o
}

// initFrom writes the files of haz for a workspace of another tool (AUX-030 … AUX-033).
func (v *invocation) initFrom(tool string) error {
	if err := haz.MayInit(v.dir); err != nil {
		return initRefused(err)
	}
	disk, o, err := v.source()
	if err != nil {
		return err
	}
	defer func() { _ = disk.Close() }() // nothing is written through it
	if tool == anyTool {
		if tool, err = theTool(moving.Find(disk)); err != nil {
			return err
		}
	}
	plan, mistakes := moving.Read(v.ctx, disk, tool, o)
	if err := v.show(disk, plan, mistakes); err != nil || v.has("dry-run") {
		return err
	}
	if !v.has("yes") && v.onTerminal() && v.answer("Write this? [y/N] ") != "y" {
		v.out.Print("nothing was written\n")
		return nil
	}
	return v.write(plan)
}

// initFound writes the workspace that a tool of this directory describes, or one of the projects that manifests make, with tasks for them
// (AUX-037). Without either it is one without projects, or of those that are chosen on the screen.
func (v *invocation) initFound() error {
	disk, o, err := v.source()
	if err != nil {
		return err
	}
	defer func() { _ = disk.Close() }() // nothing is written through it
	plan, mistakes := moving.Begin(v.ctx, disk, o)
	nothing := len(plan.Files) == 0 && len(mistakes) == 0
	if nothing {
		if !v.has("yes") && !v.has("dry-run") {
			return v.initInteractively()
		}
		plan.Files = []moving.File{{Name: layout.WorkspaceFile, Text: []byte("projects: []\n")}}
	}
	if plan.From.Tool != "" {
		v.tell("haz: " + plan.From.File + " says what the tasks are: this is haz init --from " + plan.From.Tool + "\n")
	}
	if nothing && v.has("yes") {
		if err := haz.InitWorkspace(v.dir); err != nil {
			return initRefused(err)
		}
		v.out.Print("created .haz/workspace.yml\n    to add a project: list its directory there, like `projects: [/lib]`, and write `name: lib` into lib/haz.yml\n")
		v.beside(plan)
		return nil
	}
	if err := v.show(disk, plan, mistakes); err != nil {
		return err
	}
	if v.has("dry-run") {
		for _, f := range plan.Beside {
			if f.Tool != "" {
				v.tell("haz: " + f.File + " says more: haz init --from " + f.Tool + " --dry-run\n")
			}
		}
		return nil
	}
	if !v.has("yes") {
		switch v.answer("Write this? [y/N, or c to choose the projects by hand] ") {
		case "y":
		case "c":
			return v.initInteractively()
		default:
			v.out.Print("nothing was written\n")
			return nil
		}
	}
	if err := v.write(plan); err != nil {
		return err
	}
	v.beside(plan)
	return nil
}

// beside names the files of other tools that were seen, and what reads them.
func (v *invocation) beside(plan moving.Plan) {
	var unread []string
	for _, f := range plan.Beside {
		if f.Tool == "" {
			unread = append(unread, f.File)
			continue
		}
		v.out.Print("    " + f.File + " says more: remove what was created, and haz init --from " + f.Tool + " reads it\n")
	}
	if len(unread) > 0 {
		v.out.Print("    not read: " + strings.Join(unread, ", ") + "; a task can start what they say\n")
	}
}

// source is the directory that is to be a workspace, as readers see it.
func (v *invocation) source() (fsys.FS, moving.Options, error) {
	disk, err := fsys.Machine().Sub(v.dir)
	if err != nil {
		return nil, moving.Options{}, err
	}
	tracked, err := v.tracked()
	return disk, moving.Options{Tracked: tracked, Folder: filepath.Base(v.dir), OS: runtime.GOOS, Arch: runtime.GOARCH}, err
}

// show checks a plan, and shows it.
func (v *invocation) show(disk fsys.FS, plan moving.Plan, mistakes diag.List) error {
	if len(mistakes) > 0 {
		return &diag.Errors{List: mistakes}
	}
	v.warn(plan.Warnings)
	if err := loads(v.ctx, disk, plan); err != nil {
		return err
	}
	v.out.Print(asDiff(plan.Files))
	return nil
}

// write writes a plan, and says what was made.
func (v *invocation) write(plan moving.Plan) error {
	var files []haz.NewFile
	for _, f := range plan.Files {
		files = append(files, haz.NewFile{Name: f.Name, Data: f.Text})
	}
	if err := haz.InitFiles(v.dir, files); err != nil {
		return initRefused(err)
	}
	v.out.Print(written(plan))
	return nil
}

// theTool is the only one that was found.
func theTool(found []moving.Found) (string, error) {
	var names, files []string
	for _, f := range found {
		names, files = append(names, f.Tool), append(files, f.File)
	}
	switch len(found) {
	case 1:
		return names[0], nil
	case 0:
		return "", &hinted{text: "no files of a tool are here that haz can read (" + strings.Join(moving.Tools(), ", ") + ")", hint: "haz init asks which folders are projects"}
	}
	return "", &hinted{text: "several tools have files here: " + strings.Join(files, ", "), hint: "say which counts: haz init --from " + names[0]}
}

// tracked are the files that git tracks, workspace-absolute; none where there is no git.
func (v *invocation) tracked() (names []string, err error) {
	files, err := git.NewFiles(git.Options{Root: v.dir, StartedIn: v.started, Env: v.environ})
	if files == nil || err != nil {
		return nil, nil
	}
	list, err := files.All(v.ctx)
	for _, f := range list {
		if f.Tracked {
			names = append(names, f.Path)
		}
	}
	return names, err
}

// loads checks the plan as `haz check` would, in memory: what has mistakes is not offered.
func loads(ctx context.Context, disk fsys.FS, plan moving.Plan) error {
	mem := fsys.Memory()
	put := func(name string, text []byte) error {
		name = "/w" + name
		return errors.Join(mem.MkdirAll(path.Dir(name), 0o777), fsys.WriteFileAtomic(mem, name, text, 0o666))
	}
	for _, name := range plan.Looked {
		text, _, err := disk.ReadFile(name, 0)
		if err = errors.Join(err, put(name, text)); err != nil {
			return err
		}
	}
	for _, f := range plan.Files {
		if err := put(f.Name, f.Text); err != nil {
			return err
		}
	}
	c, err := haz.Check(ctx, "/w", true, haz.WithFileSystem(mem), haz.WithEnvironment(nil))
	if err != nil {
		return err
	}
	var bad diag.List
	for _, d := range c.Diagnostics {
		if d.Severity == diag.Error {
			d.Message = "what would be written there is wrong: " + d.Message
			bad = append(bad, d)
		}
	}
	if len(bad) > 0 {
		return &diag.Errors{List: bad}
	}
	return nil
}

// asDiff shows new files as `git diff` does, so that `git apply` takes it.
func asDiff(files []moving.File) string {
	var b strings.Builder
	for _, f := range files {
		lines := strings.SplitAfter(string(f.Text), "\n")
		if lines[len(lines)-1] == "" {
			lines = lines[:len(lines)-1]
		}
		name := strings.TrimPrefix(f.Name, "/")
		fmt.Fprintf(&b, "diff --git a/%[1]s b/%[1]s\nnew file mode 100644\n--- /dev/null\n+++ b/%[1]s\n@@ -0,0 +1,%[2]d @@\n", name, len(lines))
		for _, l := range lines {
			b.WriteString("+" + l)
		}
	}
	return b.String()
}

// answer asks a question, and gives the first letter of what is typed, which is small; "" for nothing.
func (v *invocation) answer(question string) string {
	v.out.Print(question)
	if !v.out.Flush() {
		return ""
	}
	text, err := bufio.NewReader(io.LimitReader(os.Stdin, 1024)).ReadString('\n')
	text = strings.ToLower(strings.TrimSpace(text))
	if err != nil || text != "yes" && len(text) != 1 {
		return ""
	}
	return text[:1]
}

// written says what was made, and how to go on.
func written(plan moving.Plan) string {
	var b strings.Builder
	for _, f := range plan.Files {
		b.WriteString("created " + strings.TrimPrefix(f.Name, "/") + "\n")
	}
	switch plan.Notes {
	case 0:
	case 1:
		b.WriteString("    one thing does not carry over: a comment says which\n")
	default:
		fmt.Fprintf(&b, "    %d things do not carry over: comments say which\n", plan.Notes)
	}
	if plan.Try != "" {
		b.WriteString("    to begin: haz run '" + plan.Try + "'\n")
	}
	return b.String()
}
