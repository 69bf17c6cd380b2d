package actors

import (
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
)

// Wanted reports whether the condition of a task holds (EXEC-047). A path that cannot be looked at is not there.
func Wanted(fs fsys.FS, os string, env func(string) (string, bool), t *workspace.Task) bool {
	return t.If.Holds(os, env, func(path string) bool {
		_, err := fs.Stat(path)
		return err == nil
	})
}
