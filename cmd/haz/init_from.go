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
	"github.com/haz-build/haz/cmd/haz/streams"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
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
	disk, err := fsys.Machine().Sub(v.dir)
	if err != nil {
		return err
	}
	defer func() { _ = disk.Close() }() // nothing is written through it
	if tool == anyTool {
		if tool, err = theTool(moving.Find(disk)); err != nil {
			return err
		}
	}
	tracked, err := v.tracked()
	if err != nil {
		return err
	}
	plan, mistakes := moving.Read(v.ctx, disk, tool, moving.Options{Tracked: tracked, Folder: filepath.Base(v.dir), OS: runtime.GOOS, Arch: runtime.GOARCH})
	if len(mistakes) > 0 {
		return &diag.Errors{List: mistakes}
	}
	v.warn(plan.Warnings)
	if err := loads(v.ctx, plan); err != nil {
		return err
	}
	v.out.Print(asDiff(plan.Files))
	if v.has("dry-run") {
		return nil
	}
	if !v.has("yes") && v.stdout.Terminal && streams.IsTerminal(os.Stdin) && !v.agreed() {
		v.out.Print("nothing was written\n")
		return nil
	}
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
func loads(ctx context.Context, plan moving.Plan) error {
	mem := fsys.Memory()
	for _, f := range plan.Files {
		name := "/w" + f.Name
		if err := errors.Join(mem.MkdirAll(path.Dir(name), 0o777), fsys.WriteFileAtomic(mem, name, f.Text, 0o666)); err != nil {
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

// agreed asks whether to write what was shown.
func (v *invocation) agreed() bool {
	v.out.Print("Write this? [y/N] ")
	answer, err := bufio.NewReader(io.LimitReader(os.Stdin, 1024)).ReadString('\n')
	answer = strings.ToLower(strings.TrimSpace(answer))
	return err == nil && (answer == "y" || answer == "yes")
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
