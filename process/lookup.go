//go:build unix

package process

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// defaultPath is searched when the task has no PATH (chapter 2, 4.2).
const defaultPath = "/bin:/usr/bin"

// lookup finds the program of c: the path to give to execve, which runs in c.Dir, so relative ones mean the task's
// directory and a script sees them as they were written. haz's own PATH and directory play no part.
//
// It looks before the fork because a failed execve costs a process for each directory of PATH.
func lookup(c Command) (string, *NotStartedError) {
	if len(c.Argv) == 0 {
		return "", &NotStartedError{Reason: "no program given"}
	}
	program := c.Argv[0]
	if e := checkWords(c); e != nil {
		return "", e
	}
	if strings.Contains(program, "/") {
		return program, checkProgram(c, program)
	}
	path, own := pathOf(c.Env)
	if own && isFound(c, path) {
		return c.Found, nil
	}
	var denied string // the first match that cannot be executed, as execvp remembers it
	dirs := 0
	for rest, more := path, true; more; dirs++ {
		var dir string
		dir, rest, more = strings.Cut(rest, ":")
		if dir == "" {
			dir = "."
		}
		candidate := dir + "/" + program
		switch err := executable(inDir(c.Dir, candidate)); err {
		case nil:
			return candidate, nil
		case unix.EACCES, unix.EISDIR, unix.EPERM:
			if denied == "" {
				denied = candidate
			}
		}
	}
	if e := checkDir(c); e != nil {
		return "", e
	}
	if denied != "" {
		return "", checkProgram(c, denied)
	}
	e := &NotStartedError{Program: program, Err: os.ErrNotExist}
	switch {
	case !own:
		e.Reason = "program not found in PATH (" + defaultPath + ", since the task has no PATH)"
	case dirs == 1:
		e.Reason = "program not found in the task's PATH (1 directory)"
	default:
		// The value is not shown: it may come from the host (S-13).
		e.Reason = fmt.Sprintf("program not found in the task's PATH (%d directories)", dirs)
	}
	switch {
	case executable(inDir(c.Dir, program)) == nil:
		e.Hint = "write ./" + program + " for the file in the task's directory"
	case own && executable("/usr/bin/"+program) == nil:
		e.Hint = "it is in /usr/bin: add that to PATH"
	case own && executable("/bin/"+program) == nil:
		e.Hint = "it is in /bin: add that to PATH"
	case !own:
		e.Hint = "give the task a PATH: list PATH in env.pass, or set it in env.override"
	}
	return "", e
}

// isFound reports whether a program is where it was found before, and that is a place where it is looked for. Whoever found it has
// looked at all places before it.
func isFound(c Command, path string) bool {
	dir, ok := strings.CutSuffix(c.Found, "/"+c.Argv[0])
	return ok && slices.Contains(strings.Split(path, ":"), dir) && executable(inDir(c.Dir, c.Found)) == nil
}

// pathOf returns the task's PATH and whether it has one.
func pathOf(env []string) (path string, own bool) {
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			return v, true
		}
	}
	return defaultPath, false
}

// inDir makes path absolute without cleaning it: "link/../x" means what the kernel makes of it.
func inDir(dir, path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return dir + "/" + path
}

// executable returns nil when path is a file that may be executed, EISDIR for directories, EACCES for files without
// permission, else why it cannot be looked at.
func executable(path string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return nil
	case unix.S_IFDIR:
		return unix.EISDIR
	default:
		return unix.EACCES
	}
}

// checkWords refuses what execve cannot carry: NUL bytes, an empty program, a relative directory.
func checkWords(c Command) *NotStartedError {
	program := c.Argv[0]
	refuse := func(reason string) *NotStartedError {
		return &NotStartedError{Program: strings.ReplaceAll(program, "\x00", `\0`), Reason: reason, Err: unix.EINVAL}
	}
	if program == "" {
		return refuse("the program's name is empty")
	}
	if !strings.HasPrefix(c.Dir, "/") {
		return refuse("working directory " + quote(c.Dir) + " is not absolute")
	}
	if strings.Contains(c.Dir, "\x00") {
		return refuse("the working directory contains a NUL byte")
	}
	for i, a := range c.Argv {
		if strings.Contains(a, "\x00") {
			if i == 0 {
				return refuse("the program's name contains a NUL byte")
			}
			return refuse(fmt.Sprintf("argument %d contains a NUL byte", i))
		}
	}
	for _, e := range c.Env {
		if strings.Contains(e, "\x00") {
			name, _, _ := strings.Cut(e, "=")
			return refuse("environment variable " + quote(strings.ReplaceAll(name, "\x00", `\0`)) + " contains a NUL byte")
		}
	}
	return nil
}

// quote shows a name in an error, whatever bytes it has.
func quote(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return fmt.Sprintf("%q", s)
}
