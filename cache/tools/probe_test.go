package tools

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/haz-build/haz/workspace"
)

// prober answers probes, and counts them.
type prober struct {
	mu     sync.Mutex
	runs   []Probe
	answer string
	err    error
}

func (p *prober) run(_ context.Context, probe Probe) (stdout, stderr []byte, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs = append(p.runs, probe)
	if p.err != nil {
		return nil, nil, p.err
	}
	out, errs, _ := strings.Cut(p.answer, "|")
	return []byte(out), []byte(errs), nil
}

func declared(list ...workspace.ToolDecl) *workspace.Task {
	t := task("cc; ld")
	t.OwnTools, t.Tools = true, list
	return t
}

var nodeVersion = workspace.ToolDecl{Name: "node", Probe: []string{"node", "--version"}}

func (b *bed) known(t *workspace.Task, environment ...string) ([]Tool, error) {
	return b.f.Find(context.Background(), t, Env{Path: usual, Set: true, All: func() []string { return environment }})
}

// haz::cfg::050: what a task lists is in the place of what is found.
func TestDeclared(t *testing.T) {
	b := newBed(t)
	b.write("/usr/bin/ld", "ld")
	b.write("/usr/bin/gcc", "#!/usr/bin/as")
	for _, c := range []struct {
		list []workspace.ToolDecl
		want string
	}{
		{nil, ""},
		{[]workspace.ToolDecl{{Name: "gcc"}}, "/usr/bin/as gcc"},
		{[]workspace.ToolDecl{{Name: "strip"}, {Name: "ld"}}, "ld strip"},
	} {
		list, err := b.known(declared(c.list...))
		b.must(err)
		var names []string
		for _, tool := range list {
			names = append(names, tool.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%v: %q, want %q", c.list, got, c.want)
		}
	}
}

// S-51: a probe is run once for all tasks that ask the same, and what it prints is what counts.
func TestProbe(t *testing.T) {
	b := newBed(t)
	b.write("/usr/bin/node", "node 22")
	p := &prober{answer: "v22"}
	b.f.o.Run = p.run
	ask := func(environment ...string) Tool {
		t.Helper()
		list, err := b.known(declared(nodeVersion), environment...)
		b.must(err)
		if len(list) != 1 || list[0].How != Probed || list[0].File != "/usr/bin/node" {
			t.Fatalf("%+v", list)
		}
		return list[0]
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { ask("A=1") })
	}
	all.Wait()
	first := ask("A=1")
	if len(p.runs) != 1 || strings.Join(p.runs[0].Argv, " ") != "/usr/bin/node --version" || p.runs[0].Dir != "/ws/p" || strings.Join(p.runs[0].Env, " ") != "A=1" {
		t.Errorf("ran %+v", p.runs)
	}
	if ask("A=2"); len(p.runs) != 2 {
		t.Errorf("in another environment: %d runs", len(p.runs))
	}
	for answer, same := range map[string]bool{"v22": true, "v24": false, "v22|": true, "v2|2": false, "v22|x": false, "|v22": false, "": false} {
		b.open(b.fs)
		p.answer, b.f.o.Run = answer, p.run
		if now := ask("A=1"); now.Same(&first) != same {
			t.Errorf("%q: same %v", answer, now.Same(&first))
		}
	}
	// The program itself does not count.
	b.write("/usr/bin/node", "another node 22")
	b.open(b.fs)
	p.answer, b.f.o.Run = "v22", p.run
	if now := ask("A=1"); !now.Same(&first) || now.Program == first.Program {
		t.Errorf("%+v", now)
	}
}

// S-51: a probe without an answer is an error that names it; one without a program is as any program that is not there.
func TestProbeFails(t *testing.T) {
	b := newBed(t)
	p := &prober{err: errors.New("ended with exit status 3")}
	b.f.o.Run = p.run
	list, err := b.known(declared(nodeVersion))
	if err != nil || len(list) != 1 || list[0].How != Absent || len(p.runs) > 0 {
		t.Errorf("no program: %+v, %v", list, err)
	}
	b.write("/usr/bin/node", "x")
	b.f.Forget()
	_, err = b.known(declared(nodeVersion))
	var e *ProbeError
	if !errors.As(err, &e) || err.Error() != "the probe of tool node (node --version) ended with exit status 3" {
		t.Errorf("%v", err)
	}
}

// S-51: where nothing is run, what was said last is believed as long as the program is the same.
func TestProbeRemembered(t *testing.T) {
	b := newBed(t)
	b.write("/usr/bin/node", "node 22")
	p := &prober{answer: "v22"}
	b.f.o.Run = p.run
	list, err := b.known(declared(nodeVersion))
	b.must(err)
	was := list[0]
	look := func() ([]Tool, error) {
		b.open(b.fs)
		b.f.o.Last = func(_ *workspace.Task, name string) (Tool, bool) { return was, name == was.Name }
		return b.known(declared(nodeVersion))
	}
	if list, err := look(); err != nil || !list[0].Same(&was) {
		t.Errorf("%+v, %v", list, err)
	}
	was.How = Bytes // it had no probe then
	if _, err := look(); err == nil {
		t.Error("believed what is of another kind")
	}
	was.How = Probed
	b.write("/usr/bin/node", "node 24")
	var e *ProbeError
	if _, err := look(); !errors.As(err, &e) || e.Hint != "haz run p:t" {
		t.Errorf("%v", err)
	}
}
