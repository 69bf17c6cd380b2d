package key

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/dotenv"
)

// readEnvFiles reads the files of variables of a task whose inputs were just digested, and keeps what they say for Environment: the values
// are those of the key. A file whose bytes are no longer those of the input moved meanwhile, which moved reports.
func (d *Deriver) readEnvFiles(ctx context.Context, t *workspace.Task, at *Derived) (moved bool, err error) {
	if len(t.EnvFiles) == 0 {
		return false, nil
	}
	var files []EnvFile
	for _, f := range t.EnvFiles {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		path := f.Pattern.Path()
		in, there := at.find(path)
		if !there {
			continue // an optional one; others were missed as inputs
		}
		file, err := ReadEnvFile(d.o.FS, path)
		switch {
		case fsys.Absent(err):
			return true, nil
		case err != nil:
			return false, &Error{Path: path, Reason: fmt.Sprintf("the file of variables %s cannot be read: %v", path, fsys.Cause(err)), Err: err}
		case hasher.Sum(d.o.Hash, file.text) != in.Digest:
			return true, nil
		case file.Bad != nil:
			return false, &Error{Path: path, Reason: fmt.Sprintf("%s:%d:%d: %s", strings.TrimPrefix(path, "/"), file.Bad.Line, file.Bad.Column, file.Bad.Reason)}
		}
		files = append(files, file)
	}
	d.keepFiles(t, files)
	return false, nil
}

// ReadFiles reads the files of variables of a task of which no key is derived, for Environment. Those that are not there are left out.
func (d *Deriver) ReadFiles(t *workspace.Task) error {
	var files []EnvFile
	for _, f := range t.EnvFiles {
		file, err := ReadEnvFile(d.o.FS, f.Pattern.Path())
		switch {
		case fsys.Absent(err):
		case err != nil:
			return err
		default:
			files = append(files, file)
		}
	}
	d.keepFiles(t, files)
	return nil
}

// keepFiles keeps what files say to a task: of a variable the last one counts.
func (d *Deriver) keepFiles(t *workspace.Task, files []EnvFile) {
	var vars []variable
	for i := range files {
		for _, v := range files[i].vars {
			if !t.Sets(v.Name) {
				vars = setVariable(vars, variable{name: v.Name, present: true, value: v.Value, file: true})
			}
		}
	}
	d.fileVars.Store(t, vars)
}

// EnvFile is a file of variables that was read.
type EnvFile struct {
	Bad  *dotenv.Error // what is wrong with a line of it; nil: nothing
	text []byte
	vars []dotenv.Var
}

// ReadEnvFile reads a file of variables. The error is that of reading, or says that the file is too large.
func ReadEnvFile(files fsys.FS, path string) (f EnvFile, err error) {
	f.text, _, err = files.ReadFile(path, dotenv.FileMax+1)
	if err == nil && len(f.text) > dotenv.FileMax {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("it has more than %d bytes", dotenv.FileMax)}
	}
	if err == nil {
		f.vars, f.Bad = dotenv.Parse(f.text)
	}
	return f, err
}

// setVariable replaces the variable of that name, or adds it.
func setVariable(vars []variable, v variable) []variable {
	for i := range vars {
		if vars[i].name == v.name {
			vars[i] = v
			return vars
		}
	}
	return append(vars, v)
}

// fromFiles are the variables that the files of a task said when its key was derived last.
func (d *Deriver) fromFiles(t *workspace.Task) []variable {
	vars, _ := d.fileVars.Load(t)
	list, _ := vars.([]variable)
	return list
}

// inFile reports whether a file of the task sets a variable.
func inFile(vars []variable, name string) bool {
	for i := range vars {
		if vars[i].name == name {
			return true
		}
	}
	return false
}
