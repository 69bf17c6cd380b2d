package haz_test

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// tinyShell is sh for a memory file system, in a few words: statements between semicolons, of
//
//	echo WORDS [> FILE | >> FILE | >&2]    cat FILE... [> FILE]    mkdir -p DIR    rm -f FILE    exit N
//	pwd [> FILE]    await FILE (until it exists)    stay (until a signal)    trap '' TERM
//
// A statement that fails ends the process with its error, as in sh -e.
func tinyShell(mem fsys.FS) func(process.Command) (processtest.Program, bool) {
	return func(c process.Command) (processtest.Program, bool) {
		last := len(c.Argv) - 1
		if last < 2 || c.Argv[0] != "sh" || c.Argv[last-1] != "-c" {
			return processtest.Program{}, false
		}
		return processtest.Program{Script: func(c process.Command, out process.Sink, signals <-chan processtest.Signal) process.Exit {
			s := &shell{mem: mem, dir: c.Dir, out: out, signals: signals}
			for _, statement := range strings.Split(c.Argv[last], ";") {
				if s.do(strings.TrimSpace(statement)); s.ended {
					break
				}
			}
			return s.exit
		}}, true
	}
}

type shell struct {
	mem        fsys.FS
	dir        string
	out        process.Sink
	signals    <-chan processtest.Signal
	ignoreTerm bool
	ended      bool
	exit       process.Exit
}

func (s *shell) do(statement string) {
	words := strings.Fields(statement)
	if len(words) == 0 {
		return
	}
	words, to, flags := redirection(words)
	text := ""
	var err error
	switch args := words[1:]; words[0] {
	case "echo":
		text = strings.Join(args, " ") + "\n"
	case "pwd":
		text = s.dir + "\n"
	case "cat":
		for _, name := range args {
			b, _, rerr := s.mem.ReadFile(s.path(name), 0)
			text += string(b)
			if rerr != nil {
				err = rerr
			}
		}
	case "mkdir":
		err = s.mem.MkdirAll(s.path(args[1]), 0o755)
	case "rm":
		err = s.mem.RemoveAll(s.path(args[1]))
	case "exit":
		s.exit.Code, err = strconv.Atoi(args[0])
		s.ended = true
	case "trap":
		s.ignoreTerm = true
	case "stay":
		s.wait(func() bool { return false })
	case "await":
		s.wait(func() bool { _, err := s.mem.Lstat(s.path(args[0])); return err == nil })
	default:
		err = fmt.Errorf("%s: not found", words[0])
	}
	if err == nil {
		err = s.write(to, flags, text)
	}
	if err != nil {
		s.out.Write(process.Stderr, []byte(err.Error()+"\n"))
		s.exit, s.ended = process.Exit{Code: 1}, true
	}
}

func (s *shell) path(name string) string {
	if path.IsAbs(name) {
		return name
	}
	return path.Join(s.dir, name)
}

// redirection splits words before the redirection from where it leads.
func redirection(words []string) (rest []string, to string, flags int) {
	for i, word := range words {
		switch {
		case word == ">&2":
			return words[:i], word, 0
		case word == ">" || word == ">>":
			flags = os.O_TRUNC
			if word == ">>" {
				flags = os.O_APPEND
			}
			return words[:i], words[i+1], flags
		}
	}
	return words, "", 0
}

func (s *shell) write(to string, flags int, text string) error {
	switch to {
	case "":
		if text != "" {
			s.out.Write(process.Stdout, []byte(text))
		}
		return nil
	case ">&2":
		s.out.Write(process.Stderr, []byte(text))
		return nil
	}
	f, err := s.mem.OpenFile(s.path(to), os.O_WRONLY|os.O_CREATE|flags, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Close()
}

// wait polls: a memory file system tells nobody of changes.
func (s *shell) wait(over func() bool) {
	for !over() {
		select {
		case sig := <-s.signals:
			if sig == processtest.Kill || !s.ignoreTerm {
				s.exit, s.ended = process.Exit{Code: -1, Signal: 15}, true
				return
			}
		case <-time.After(time.Millisecond):
		}
	}
}
