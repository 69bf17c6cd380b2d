package haz

import (
	"fmt"
	"path"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/script"
)

// shellDefault is where shells look for programs when they have no PATH: all that any of them has built in.
const shellDefault = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/gnu/bin"

// programWarnings are about scripts that start a program which a shell without PATH does not find, although the user's own does: it
// is the first mistake of everybody. A program that is nowhere may come from the task itself, and is not spoken of.
func (w *Workspace) programWarnings() diag.List {
	hostPath, _ := w.hostEnv().Lookup("PATH")
	known := map[string]string{} // where the user's shell finds a program that one without PATH does not
	lost := func(program string) string {
		at, ok := known[program]
		if !ok {
			if w.programIn(program, shellDefault) == "" {
				at = w.programIn(program, hostPath)
			}
			known[program] = at
		}
		return at
	}
	var list diag.List
	for _, t := range w.W.Tasks {
		if t.HasPath() || !t.Posix() {
			continue
		}
		for _, program := range script.Read(t.Shell, t.Script).Programs {
			if strings.Contains(program, "/") {
				continue
			}
			at := lost(program)
			if at == "" {
				continue
			}
			list = append(list, diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::032", Place: t.Place, Project: t.SharedIn(),
				Message: fmt.Sprintf("the script of task %s starts %s, which is %s here, where a shell without PATH does not look: the task's environment has no PATH",
					diag.Quote(t.ID.String()), diag.Quote(program), diag.Quote(at)),
				Hint: "env: {pass: [PATH]}"})
			break
		}
	}
	return list
}

// unreadWarnings are about scripts of which no parser says what they start: a compiler that was replaced is no miss there, and nobody would know.
func (w *Workspace) unreadWarnings() diag.List {
	var list diag.List
	told := map[diag.Place]bool{} // one body may be the task of many projects
	for _, t := range w.W.Tasks {
		if t.Kind != workspace.Shell || t.OwnTools || !t.Cache || told[t.Place] || script.Read(t.Shell, t.Script).Parsed {
			continue
		}
		told[t.Place] = true
		why := "does not read as one for " + t.Shell
		if !script.Reads(t.Shell) {
			why = "is for " + t.Shell + ", which haz does not read"
		}
		list = append(list, diag.Diagnostic{Severity: diag.Warning, Code: "haz::cfg::050", Place: t.Place, Project: t.SharedIn(),
			Message: fmt.Sprintf("the script of task %s %s: of the programs that it starts the key has %s alone", diag.Quote(t.ID.String()), why, t.Shell),
			Hint:    "list the others in `tools`; if none of them matters: tools: [" + t.Shell + "]"})
	}
	return list
}

// programIn is the file of a program in the directories of a PATH; "" when there is none.
func (w *Workspace) programIn(program, dirs string) string {
	for _, dir := range strings.Split(dirs, ":") {
		if !path.IsAbs(dir) {
			continue
		}
		file := path.Join(dir, program)
		if info, err := w.o.host.StatInfo(file); err == nil && info.Kind == fsys.File && info.Perm&0o111 != 0 {
			return file
		}
	}
	return ""
}
