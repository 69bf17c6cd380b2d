package haz

import (
	"fmt"

	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/process"
)

// CommandIn is what a task of a project would start that has argv as its command and says nothing else: in the project's folder, in the
// environment that is everybody's there. The error says that there is no such project, or what is wrong with its files of variables.
func (w *Workspace) CommandIn(project string, argv []string) (process.Command, error) {
	p := w.W.Project(project)
	if p == nil {
		d := diag.Diagnostic{Severity: diag.Error, Code: "AUX-029", Message: "there is no project " + diag.Quote(project), Hint: "haz list --projects shows them"}
		var names []string
		for _, p := range w.W.Projects {
			names = append(append(names, p.Name), p.Aliases...)
		}
		if near := diag.Nearest(project, names); near != "" {
			d.Hint = diag.DidYouMean(near)
		}
		return process.Command{}, diag.List{d}.Err()
	}
	plain := p.Plain()
	if err := w.envFileMistakes(w.FS, []*Task{plain}).Err(); err != nil {
		return process.Command{}, err
	}
	everybodys := key.NewDeriver(key.Options{FS: w.FS, Root: w.FS.HostPath("/"), Host: w.hostEnv()})
	if err := everybodys.ReadFiles(plain); err != nil {
		return process.Command{}, err
	}
	umask := w.W.Settings.Umask
	return process.Command{Umask: &umask, Label: fmt.Sprintf("a command in %s", p.Name), Dir: w.FS.HostPath(p.Dir), Argv: argv, Env: everybodys.Environment(plain)}, nil
}
