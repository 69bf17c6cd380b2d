//go:build unix

package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/haz-build/haz/fsys"
)

// checkDir says what is wrong with the working directory, nil when it can be entered.
func checkDir(c Command) *NotStartedError {
	e := &NotStartedError{Program: c.Argv[0]}
	var st unix.Stat_t
	err := unix.Stat(c.Dir, &st)
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		err = unix.ENOTDIR
	}
	if err == nil {
		err = unix.Faccessat(unix.AT_FDCWD, c.Dir, unix.X_OK, unix.AT_EACCESS)
	}
	switch err {
	case nil:
		return nil
	case unix.ENOENT:
		e.Reason = "working directory missing: " + c.Dir
	case unix.ENOTDIR:
		e.Reason = "working directory is not a directory: " + c.Dir
	case unix.EACCES:
		e.Reason = "working directory cannot be entered: " + c.Dir
		e.Hint = "its permissions, or those of a folder above, forbid it"
	default:
		e.Reason = "working directory " + c.Dir + ": " + errText(err)
	}
	e.Err = err
	return e
}

// checkProgram says why path, relative to the task's directory, is not a program; nil when it looks like one.
func checkProgram(c Command, path string) *NotStartedError {
	err := executable(inDir(c.Dir, path))
	if err == nil {
		return nil
	}
	if e := checkDir(c); e != nil {
		return e
	}
	e := &NotStartedError{Program: c.Argv[0], Err: err}
	where := ""
	if path != c.Argv[0] {
		where = " (" + path + ")"
	}
	switch err {
	case unix.ENOENT:
		e.Reason = "no such file" + where
		if _, lerr := fsys.Machine().Lstat(hostName(c.Dir, path)); lerr == nil {
			e.Reason = "a link to nothing" + where
		}
		if !strings.HasPrefix(path, "/") {
			e.Hint = "a program with a / is relative to the task's directory, " + c.Dir
		}
	case unix.ENOTDIR:
		e.Reason = "no such file: a part of its path is not a directory" + where
	case unix.EISDIR:
		e.Reason = "is a directory" + where
	case unix.EACCES:
		e.Reason = "not executable" + where
		var st unix.Stat_t
		if serr := unix.Stat(inDir(c.Dir, path), &st); serr == nil {
			switch {
			case st.Mode&unix.S_IFMT != unix.S_IFREG:
				e.Reason = "not a regular file" + where
			case st.Mode&0o111 == 0:
				e.Hint = "chmod +x " + path
			}
		}
	default:
		e.Reason = errText(err) + where
	}
	return e
}

// explain turns what fork, chdir or execve answered into a sentence. The kernel gives one number for many causes, so this
// looks at the files again; it runs on failure only.
func explain(c Command, path string, err error) *NotStartedError {
	if e := checkDir(c); e != nil {
		return e
	}
	if e := checkProgram(c, path); e != nil {
		return e
	}
	e := &NotStartedError{Program: c.Argv[0], Reason: errText(err), Err: err}
	switch {
	case errors.Is(err, unix.ENOENT):
		// The program is there, so what is missing is what runs it.
		if line, ok := interpreter(hostName(c.Dir, path)); ok {
			name, _, _ := strings.Cut(line, " ")
			e.Reason = "the interpreter of its #! line is missing: " + quote(name)
			if strings.HasSuffix(line, "\r") {
				e.Hint = "the line ends with a carriage return: save the script with Unix line ends"
			}
		} else {
			e.Reason = "its loader is missing"
			e.Hint = "it was built for another system or C library"
		}
	case errors.Is(err, unix.ENOEXEC):
		e.Reason = "not a program of this machine, nor a script with a #! line"
		e.Hint = "begin a script with a line such as #!/bin/sh, or run it with shell"
	case errors.Is(err, unix.EACCES):
		e.Reason = "not executable"
		if line, ok := interpreter(hostName(c.Dir, path)); ok {
			name, _, _ := strings.Cut(line, " ")
			e.Reason = "the interpreter of its #! line is not executable: " + quote(name)
		}
	case errors.Is(err, unix.E2BIG):
		e.Reason, e.Hint = tooBig(c)
	case errors.Is(err, unix.ETXTBSY):
		e.Reason = "still open for writing"
		e.Hint = "another process has the file open"
	case errors.Is(err, unix.EAGAIN):
		e.Reason = "the system's limit of processes is reached"
		e.Hint = "see ulimit -u, or lower concurrency"
	case errors.Is(err, unix.ENOMEM):
		e.Reason = "not enough memory to start a process"
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		e.Reason = "too many open files"
		e.Hint = "see ulimit -n, or lower concurrency"
	case errors.Is(err, unix.ELOOP):
		e.Reason = "too many links or interpreters in a row"
	}
	return e
}

// tooBig explains E2BIG: one string too long, or all of them together.
func tooBig(c Command) (reason, hint string) {
	const oneMax = 131071 // bytes of one string on Linux with pages of 4 KiB
	sum := 0
	for i, a := range c.Argv {
		if len(a) > oneMax {
			return fmt.Sprintf("argument %d is too long for the system: %d bytes (limit %d)", i, len(a), oneMax),
				"put the text into a file"
		}
		sum += len(a) + 9 // its NUL byte, and the pointer to it
	}
	args := sum
	for _, v := range c.Env {
		if len(v) > oneMax {
			name, _, _ := strings.Cut(v, "=")
			return fmt.Sprintf("environment variable %s is too long for the system: %d bytes (limit %d)", quote(name), len(v), oneMax), ""
		}
		sum += len(v) + 9
	}
	return fmt.Sprintf("arguments and environment are too long for the system: %d and %d bytes", args, sum-args),
		"pass the list in a file"
}

// hostName is path, relative to the task's directory, as package fsys takes it: "..", which is text there, must not meet a link.
func hostName(dir, path string) string {
	if real, err := fsys.Machine().RealPath(dir); err == nil {
		dir = real
	}
	return inDir(dir, path)
}

// interpreter returns the rest of a script's #! line, false when the file has none.
func interpreter(path string) (string, bool) {
	f, err := fsys.Machine().Open(path) // which waits for nobody, should a FIFO have taken the place of the file
	if err != nil {
		return "", false
	}
	defer f.Close()
	head := make([]byte, 256)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return "", false
	}
	line, ok := bytes.CutPrefix(head[:n], []byte("#!"))
	if !ok {
		return "", false
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	return strings.TrimLeft(string(line), " \t"), true
}

func errText(err error) string {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}
