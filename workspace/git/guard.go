package git

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
)

// The repository may be a stranger's, and the configuration of a repository can make git execute programs: monitors, hooks,
// pagers, programs that compare, filters of content, helpers of transports. Asking what changed must execute none of them.

// guards stand before every command. They win over the configuration of the repository, of the user and of the machine.
var guards = []string{
	"--no-pager",
	"-c", "safe.bareRepository=explicit", // a folder of the work tree that is itself a bare repository is not entered
	"-c", "core.fsmonitor=false",
	"-c", "core.hooksPath=/dev/null",
	"-c", "core.pager=cat",
}

// guardEnv are variables of every git, over those of the user. Nothing is written, and nothing is fetched: the remote that a
// partial clone would ask for an object it lacks is named by the repository, and so is the program that speaks to it.
// GIT_NO_LAZY_FETCH is not known to older versions; without an allowed protocol they fail at the same place.
var guardEnv = []string{"GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "GIT_TERMINAL_PROMPT=0"}

// notInherited are variables by which git tells its hooks what it works on (haz asks about the repository around the
// workspace), programs that no question of ours needs, and other meanings of the paths that haz gives to git.
var notInherited = []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_PREFIX", "GIT_EXTERNAL_DIFF", "GIT_PAGER",
	"GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"}

// ofOneRepository are variables that describe one repository and are wrong for another one in it.
var ofOneRepository = []string{"GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_SHALLOW_FILE",
	"GIT_GRAFT_FILE", "GIT_NAMESPACE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_REPLACE_REF_BASE"}

// environment is what git gets. GIT_INDEX_FILE stays, so that the index of a partial commit is the one that counts.
func environment(env []string, startedIn string) []string {
	clean := make([]string, 0, len(env)+len(guardEnv))
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if slices.Contains(notInherited, name) || guarded(name) {
			continue
		}
		if name == "GIT_INDEX_FILE" {
			if value == "" {
				continue
			}
			if !filepath.IsAbs(value) {
				e = name + "=" + filepath.Join(startedIn, value)
			}
		}
		clean = append(clean, e)
	}
	return append(clean, guardEnv...)
}

func guarded(name string) bool {
	return slices.ContainsFunc(guardEnv, func(e string) bool { return strings.HasPrefix(e, name+"=") })
}

// innerEnvironment is the environment for a repository inside of another.
func innerEnvironment(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.Contains(ofOneRepository, name)
	})
}

// switchFiltersOff finds the filter drivers that any configuration knows and makes options that leave them out. git runs them
// over files of the work tree to see whether they changed, and even one that the user has configured can be led by settings of
// the repository. A file that has a filter is therefore compared as it lies there.
func (r *repository) switchFiltersOff(ctx context.Context) error {
	out, end, err := r.code(ctx, "config", "-z", "--name-only", "--get-regexp", `^filter\.`)
	switch {
	case err != nil:
		return err
	case end.failed != nil && end.status != 1: // 1: there is none
		return end.failed
	}
	var names []string
	for _, key := range split(out) {
		last := strings.LastIndexByte(key, '.')
		if name := key[:last]; last > len("filter") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if strings.ContainsAny(name, "=\n") { // -c could not spell it
			return &Error{Code: r.rule, Message: "git is not asked: its configuration has a filter with the odd name " + diag.Quote(name),
				Hint: "it could execute a program; remove it: git config --show-origin --get-regexp '^filter'"}
		}
		// An empty process wins over clean and smudge, and is then no program.
		r.off = append(r.off, "-c", name+".process=", "-c", name+".clean=", "-c", name+".smudge=", "-c", name+".required=false")
	}
	return nil
}

// checkTop refuses a work tree that git found without a .git: a folder that is itself a repository, which git before 2.38
// enters whatever guards say.
func (r *repository) checkTop(top string) error {
	if _, err := fsys.Machine().Lstat(filepath.Join(top, ".git")); err != nil {
		return &Error{Code: r.rule, Message: "git takes " + diag.Quote(top) + " itself for a repository, though it has no .git: it may come from somebody else",
			Hint: "git is not asked there, since its files could make git execute programs"}
	}
	return nil
}
