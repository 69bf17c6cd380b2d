//go:build unix

package process

import (
	"fmt"
	"syscall"
)

// fork starts the program with the umask that c asks for, and leaves that of this process alone: other goroutines make files.
//
// A thread with an umask of its own forks (masks), where the system has such a thing. Elsewhere, if the umask is not ours
// anyway, a shell sets it and becomes the program: the price is its start, the name by which a program knows itself, and that a program
// which cannot be executed ends with the shell's 126 instead of an error of the start.
func (s *system) fork(c Command, path string, attr *syscall.ProcAttr) (pid int, err error) {
	if c.Umask == nil {
		return syscall.ForkExec(path, c.Argv, attr)
	}
	if pid, err, ok := s.masks.fork(*c.Umask, func() (int, error) { return syscall.ForkExec(path, c.Argv, attr) }); ok {
		return pid, err
	}
	if *c.Umask == ownUmask() {
		return syscall.ForkExec(path, c.Argv, attr)
	}
	argv := append([]string{"sh", "-c", `umask "$0" && exec "$@"`, fmt.Sprintf("%03o", *c.Umask), path}, c.Argv[1:]...)
	return syscall.ForkExec("/bin/sh", argv, attr)
}

// setUmask learns the umask of this process where nothing tells it: by setting another one for a moment, which other goroutines may see.
func setUmask() uint32 {
	old := syscall.Umask(0o022)
	syscall.Umask(old)
	return uint32(old)
}
