package tools

import (
	"context"
	"encoding/binary"
	"strings"
	"sync"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/workspace"
)

// A Probe is a command whose output counts in place of a program's bytes (S-51).
type Probe struct {
	Argv []string // Argv[0] is a path of the host
	Dir  string   // on the host
	Env  []string
}

// A ProbeError says why a probe gave no answer.
type ProbeError struct {
	Tool   string
	Argv   []string
	Reason string // "exited with status 1"
	Hint   string
	Err    error
}

func (e *ProbeError) Error() string {
	return "the probe of tool " + e.Tool + " (" + strings.Join(e.Argv, " ") + ") " + e.Reason
}

func (e *ProbeError) Unwrap() error { return e.Err }

// asked is a probe that was run, or is being run.
type asked struct {
	once   sync.Once
	answer digest.Digest
	err    error
}

// probe is what a tool of a task is known by that has a probe.
func (f *Finder) probe(ctx context.Context, t *workspace.Task, env Env, decl *workspace.ToolDecl) (Tool, error) {
	tool := Tool{Name: decl.Name}
	found, _, err := f.search(ctx, t, decl.Probe[0], f.path(env.orDefault()))
	if err != nil {
		return tool, err
	}
	if len(found) == 0 || found[0].How == Absent {
		return tool, nil
	}
	tool.File, tool.Program = found[0].File, f.digestOf(found)
	if f.o.Run == nil {
		if f.o.Last != nil {
			if was, ok := f.o.Last(t, decl.Name); ok && was.How == Probed && was.Program == tool.Program {
				tool.How, tool.Digest = Probed, was.Digest
				return tool, nil
			}
		}
		return tool, &ProbeError{Tool: decl.Name, Argv: decl.Probe, Reason: "was not run for this program yet, and no program is run now", Hint: "haz run " + t.ID.String()}
	}
	p := Probe{Argv: append([]string{tool.File}, decl.Probe[1:]...), Dir: f.o.Workspace.HostPath(t.Project.Dir), Env: env.All()}
	a, _ := f.answers.LoadOrStore(p.key(), &asked{})
	one := a.(*asked)
	one.once.Do(func() { one.answer, one.err = f.ask(ctx, &p) })
	switch {
	case ctx.Err() != nil:
		return tool, ctx.Err()
	case one.err != nil:
		e := &ProbeError{Tool: decl.Name, Argv: decl.Probe, Reason: one.err.Error(), Err: one.err}
		return tool, e
	}
	tool.How, tool.Digest = Probed, one.answer
	return tool, nil
}

// key is equal for probes that are equal.
func (p *Probe) key() string {
	return strings.Join(p.Argv, "\x00") + "\x00\x00" + p.Dir + "\x00\x00" + strings.Join(p.Env, "\x00")
}

// ask runs a probe, and digests what it printed, on both streams.
func (f *Finder) ask(ctx context.Context, p *Probe) (digest.Digest, error) {
	out, errs, err := f.o.Run(ctx, *p)
	if err != nil {
		return digest.Digest{}, err
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(len(out)))
	return hasher.Sum(f.o.Hash, append(append(b, out...), errs...)), nil
}

// digestOf tells a program, with its interpreters, from others.
func (f *Finder) digestOf(list []Tool) digest.Digest {
	var b []byte
	for i := range list {
		b = append(append(append(b, list[i].Name...), 0, byte(list[i].How)), list[i].Digest[:]...)
	}
	return hasher.Sum(f.o.Hash, b)
}
