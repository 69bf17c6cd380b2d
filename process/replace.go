//go:build unix

package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Replace makes this program the one that c says: with its files, its terminal, its process number and its place in groups and sessions.
// It returns when that was not possible, with a *NotStartedError; the directory may be another one then. It is for programs: a host has
// goroutines and files of its own.
func Replace(c Command) error {
	path, notFound := lookup(c)
	if notFound != nil {
		return notFound
	}
	unignore()
	if err := unix.Chdir(c.Dir); err != nil {
		return explain(c, path, err)
	}
	if c.Umask != nil {
		unix.Umask(int(*c.Umask))
	}
	for {
		if err := syscall.Exec(path, c.Argv, c.Env); err != syscall.EINTR {
			return explain(c, path, err)
		}
	}
}
