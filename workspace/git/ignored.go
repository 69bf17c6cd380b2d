package git

import (
	"context"
	"strings"
)

// Ignored tells which of the directories named, all in dir (an absolute host path), git ignores: none where there is no git, or
// no repository. env is that of the process, "NAME=value".
func Ignored(ctx context.Context, dir string, env, names []string) map[string]bool {
	if len(names) == 0 {
		return nil
	}
	r, err := open(ctx, Options{Root: dir, StartedIn: dir, Env: env, Mode: WorkTree})
	if err != nil {
		return nil
	}
	// With "./" before and "/" after, a name is never an option or a pattern, and is known to be a directory.
	out, end, err := r.fed(ctx, strings.NewReader("./"+strings.Join(names, "/\x00./")+"/\x00"), "check-ignore", "-z", "--stdin")
	if err != nil || end.failed != nil {
		return nil // exit code 1: none
	}
	ignored := map[string]bool{}
	for _, n := range split(out) {
		ignored[strings.TrimSuffix(strings.TrimPrefix(n, "./"), "/")] = true
	}
	return ignored
}
