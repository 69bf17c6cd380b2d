package processtest

import (
	"fmt"
	"path/filepath"

	"github.com/haz-build/haz/process"
)

// Step is one thing that a process of steps does.
type Step struct {
	kind stepKind
	f    func(p *Proc) (end process.Exit, ended bool)
}

type stepKind uint8

const (
	act stepKind = iota
	hang
)

func (s Step) do(p *Proc) (process.Exit, bool) {
	if s.f == nil {
		return process.Exit{}, false
	}
	return s.f(p)
}

// Do calls f. An error ends the process as a shell would: with exit code 1, and the error on stderr.
func Do(f func(c process.Command) error) Step {
	return Step{f: func(p *Proc) (process.Exit, bool) {
		if err := f(p.c); err != nil {
			p.sink.Write(process.Stderr, fmt.Appendln(nil, err))
			return process.Exit{Code: 1}, true
		}
		return process.Exit{}, false
	}}
}

// Write writes a whole file. A relative path is taken from the command's directory.
func Write(path, text string) Step {
	return Step{f: func(p *Proc) (process.Exit, bool) {
		abs := path
		if !filepath.IsAbs(abs) {
			abs = filepath.Join(p.c.Dir, path)
		}
		return Do(func(process.Command) error { return p.spawner.writeFile(abs, []byte(text)) }).f(p)
	}}
}

// Out writes to an output.
func Out(s process.Stream, text string) Step {
	return Step{f: func(p *Proc) (process.Exit, bool) {
		p.sink.Write(s, []byte(text))
		return process.Exit{}, false
	}}
}

// Exit ends the process with a code.
func Exit(code int) Step {
	return End(process.Exit{Code: code})
}

// Crash ends the process by a signal that haz did not send.
func Crash(signal int) Step {
	return End(process.Exit{Code: -1, Signal: signal})
}

// End ends the process with any result, such as one with WaitErr. Cancelled is set by the spawner.
func End(e process.Exit) Step {
	return Step{f: func(*Proc) (process.Exit, bool) { return e, true }}
}

// Hang does nothing until a signal ends the process.
func Hang() Step { return Step{kind: hang} }

// Pass does nothing for one step.
func Pass() Step { return Step{} }

// IgnoreTerm makes the process ignore TERM, and all that is weaker, from now on.
func IgnoreTerm() Step {
	return Step{f: func(p *Proc) (process.Exit, bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ignore = true
		return process.Exit{}, false
	}}
}

// Leave leaves a process behind, which the exit lists.
func Leave(l process.Leftover) Step {
	return Step{f: func(p *Proc) (process.Exit, bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.result.Leftovers = append(p.result.Leftovers, l)
		return process.Exit{}, false
	}}
}

// HoldOutput makes the exit say that the output is not complete, as when a background process still holds it.
func HoldOutput(pid int) Step {
	return Step{f: func(p *Proc) (process.Exit, bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.result.Incomplete = fmt.Sprintf("output still held by pid %d", pid)
		return process.Exit{}, false
	}}
}
