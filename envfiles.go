package haz

import (
	"fmt"
	"strings"

	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
)

// envFileMistakes are files of variables of these tasks that are not there, cannot be read or have a line that is wrong (haz::cfg::045,
// haz::cfg::046), each once. A file that some task makes is not looked at before that. The text of a line is not shown: it may be secret.
func (w *Workspace) envFileMistakes(files fsys.FS, tasks []*Task) diag.List {
	var list diag.List
	seen := map[string]bool{}
	for _, t := range tasks {
		for _, f := range t.EnvFiles {
			name := f.Pattern.Path()
			if seen[name] || len(w.G.Writers(name)) > 0 {
				continue
			}
			file, err := key.ReadEnvFile(files, name)
			if fsys.Absent(err) && f.Optional {
				continue
			}
			seen[name] = true
			d := diag.Diagnostic{Severity: diag.Error, Code: "haz::cfg::045", Place: f.Place, Project: t.SharedIn()}
			switch {
			case fsys.Absent(err):
				d.Message = fmt.Sprintf("the file of variables %s of task %s does not exist", diag.Quote(f.Text), diag.Quote(t.ID.String()))
				d.Hint = "where it need not be there: " + diag.Quote(f.Text+"?")
			case err != nil:
				d.Message = fmt.Sprintf("the file of variables %s of task %s cannot be read: %v", diag.Quote(f.Text), diag.Quote(t.ID.String()), fsys.Cause(err))
			case file.Bad != nil:
				d.Code, d.Project, d.Message = "haz::cfg::046", "", file.Bad.Reason
				d.Place = diag.Place{File: strings.TrimPrefix(name, "/"), Line: file.Bad.Line, Column: file.Bad.Column}
				d.Related = []diag.Related{{Place: f.Place, Label: "it is a file of variables here"}}
			default:
				continue
			}
			list = append(list, d)
		}
	}
	return list
}
