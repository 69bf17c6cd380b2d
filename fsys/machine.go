package fsys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Machine is the file system of the whole machine, for what lies in no workspace: the work tree of git, /proc, what is watched. Names
// are absolute paths of the host. It is opened once and never closed; where that fails, so does every call.
func Machine() FS { return machine() }

var machine = sync.OnceValue(func() FS {
	m, err := Host("/")
	if err != nil {
		m = Memory()
		_ = m.Close()
	}
	return m
})

// Program looks at the file that this process was started from, wherever it lies by now.
func Program() (Info, error) {
	info, err := Machine().StatInfo("/proc/self/exe")
	if err == nil {
		return info, nil
	}
	name, err := os.Executable()
	if err != nil {
		return Info{}, err
	}
	return Machine().StatInfo(filepath.ToSlash(name))
}

// WriteOutput makes data the content of a file that the user named, a path of the host (relative to the working directory): a reader
// finds the old one or the new one, whole. A link at the name is followed. What is no regular file (a pipe, a terminal, /dev/stdout) is
// written to, which may wait for who reads it. Errors name the file as it was given.
func WriteOutput(name string, data []byte) error {
	at := name
	if real, err := filepath.EvalSymlinks(name); err == nil {
		at = real
	} else if dir, base := filepath.Split(name); base != "" { // Dir would take away ".." with a link before it
		if real, err := filepath.EvalSymlinks(dir + "."); err == nil {
			at = filepath.Join(real, base)
		}
	}
	if info, err := os.Stat(at); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(name, data, 0o666)
	}
	at, err := filepath.Abs(at)
	if err != nil {
		return err
	}
	err = WriteFileAtomic(Machine(), at, data, 0o666)
	var p *fs.PathError
	if errors.As(err, &p) {
		p.Path = name
	}
	return err
}

// Nameless makes a temporary file of the machine that has no name any more: nothing is left of it however the program ends. The name
// that it has for a moment begins with prefix.
func Nameless(prefix string) (*os.File, error) {
	f, err := os.CreateTemp("", prefix)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
