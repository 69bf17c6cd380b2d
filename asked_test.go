package haz_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/messages"
)

// none is no context, and staticcheck does not see it.
var none context.Context

// What a host asks for wrongly is an error that says what it was, and nothing is done: no panic, no process, no event.
func TestAskedWrongly(t *testing.T) {
	w := inMemory(t)
	pair(t, w)
	ws := w.open(t)
	other := w.open(t)
	ctx := t.Context()
	saw := func(messages.Event) { t.Error("the observer was called") }
	plan := func(ws *haz.Workspace, targets ...int) *haz.Plan {
		t.Helper()
		p, err := ws.Plan(targets)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	run := func(ctx context.Context, targets ...int) func() error {
		return func() error { _, err := ws.Run(ctx, targets, haz.RunOptions{Observer: saw}); return err }
	}
	carryOut := func(ctx context.Context, p *haz.Plan) func() error {
		return func() error { _, err := ws.RunPlan(ctx, p, haz.RunOptions{Observer: saw}); return err }
	}
	why := func(ctx context.Context, task int) func() error {
		return func() error { _, err := ws.Why(ctx, task, haz.WhyOptions{Diff: true}); return err }
	}
	planned := func(targets ...int) func() error {
		return func() error { _, err := ws.Plan(targets); return err }
	}
	predict := func(ctx context.Context, p *haz.Plan) func() error {
		return func() error { _, err := ws.Predict(ctx, p); return err }
	}
	open := func(ctx context.Context, dir string) func() error {
		return func() error { _, err := haz.Open(ctx, dir, w.options...); return err }
	}
	const nilContext, noTask, twice = "the context is nil", "there is no task at position", "is a target twice"
	ended, end := context.WithCancel(ctx)
	end()
	for name, c := range map[string]struct {
		call func() error
		want string
	}{
		"run, a negative target":         {run(ctx, -1), noTask + " -1: the workspace has 2, counted from 0"},
		"run, a target too large":        {run(ctx, 0, 2), noTask + " 2: the workspace has 2, counted from 0"},
		"run, a target twice":            {run(ctx, 1, 0, 1), "task \"lib:compile\", at position 1, " + twice},
		"run, no context":                {run(none, 0), nilContext},
		"run, no plan":                   {carryOut(ctx, nil), "the plan is not one of this workspace"},
		"run, a plan of another":         {carryOut(ctx, plan(other, 0)), "the plan is not one of this workspace"},
		"run, a plan and no context":     {carryOut(none, plan(ws, 0)), nilContext},
		"plan, a negative target":        {planned(-7), noTask},
		"plan, a target too large":       {planned(1 << 40), noTask},
		"plan, a target twice":           {planned(0, 0), twice},
		"why, a negative task":           {why(ctx, -1), noTask},
		"why, a task too large":          {why(ctx, 2), noTask},
		"why, no context":                {why(none, 0), nilContext},
		"why, a context that ended":      {why(ended, 0), context.Canceled.Error()},
		"predict, no plan":               {predict(ctx, nil), "the plan is not one of this workspace"},
		"predict, a plan of another":     {predict(ctx, plan(other, 0)), "the plan is not one of this workspace"},
		"predict, no context":            {predict(none, plan(ws, 0)), nilContext},
		"predict, a context that ended":  {predict(ended, plan(ws, 0)), context.Canceled.Error()},
		"select, no context":             {func() error { _, err := ws.Select(none, haz.Selection{All: true}); return err }, nilContext},
		"open, no context":               {open(none, w.dir), nilContext},
		"open, no directory":             {open(ctx, ""), "the directory is no absolute path"},
		"open, a relative directory":     {open(ctx, "ws"), "the directory is no absolute path: \"ws\""},
		"check, no context":              {func() error { _, err := haz.Check(none, w.dir, true, w.options...); return err }, nilContext},
		"check, a relative directory":    {func() error { _, err := haz.Check(ctx, ".", true, w.options...); return err }, "no absolute path"},
		"cache, no context":              {func() error { _, err := haz.OpenCache(none, w.dir, w.options...); return err }, nilContext},
		"cache, a relative directory":    {func() error { _, err := haz.OpenCache(ctx, "ws", w.options...); return err }, "no absolute path"},
		"may init, a relative directory": {func() error { return haz.MayInit("ws", w.options...) }, "no absolute path"},
		"init, no directory":             {func() error { return haz.InitWorkspace("", w.options...) }, "no absolute path"},
		"init, a project elsewhere": {func() error {
			return haz.InitProjects("/new", []haz.ProjectFile{{Root: "/lib"}, {Root: "/../lib"}}, nil, w.options...)
		}, "the root of a project is no path from the root of the workspace: \"/../lib\""},
		"init, a project nowhere": {func() error {
			return haz.InitProjects("/new", []haz.ProjectFile{{Root: "lib"}}, nil, w.options...)
		}, "the root of a project is no path from the root of the workspace: \"lib\""},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.call(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if started := w.spawner.labels(); len(started) > 0 {
		t.Errorf("started: %q", started)
	}
	for _, dir := range []string{"/new", "/.haz/workspace.yml", "/newlib", "/lib"} {
		if _, err := w.mem.Lstat(dir); err == nil {
			t.Errorf("%s was made", dir)
		}
	}
}

// No method that takes a context, or positions of tasks, panics: neither on what is nil nor on what Open and OpenCache did not return.
func TestZeroValues(t *testing.T) {
	w := inMemory(t)
	pair(t, w)
	cache, err := haz.OpenCache(t.Context(), w.dir, w.options...)
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	asked := 0
	for _, v := range []struct {
		receiver any
		ctx      context.Context
	}{
		{w.open(t), none}, {cache, none},
		{&haz.Workspace{}, t.Context()}, {(*haz.Workspace)(nil), t.Context()}, {&haz.Cache{}, t.Context()}, {(*haz.Cache)(nil), t.Context()},
	} {
		value := reflect.ValueOf(v.receiver)
		for i := range value.NumMethod() {
			m, name := value.Method(i), value.Type().Method(i).Name
			takesContext, takesTasks := params(m)
			if !takesContext && (!takesTasks || v.ctx == nil) && name != "Close" {
				continue
			}
			if name == "Close" && v.ctx == nil {
				continue // it is open still
			}
			args := make([]reflect.Value, m.Type().NumIn())
			for k := range args {
				args[k] = reflect.Zero(m.Type().In(k))
				if m.Type().In(k) == contextType && v.ctx != nil {
					args[k] = reflect.ValueOf(v.ctx)
				}
			}
			results := m.Call(args)
			err, _ := results[len(results)-1].Interface().(error)
			if (err == nil) != (name == "Close") {
				t.Errorf("%T.%s: %v", v.receiver, name, err)
			}
			asked++
		}
	}
	if asked < 24 {
		t.Errorf("only %d calls were made", asked)
	}
}

var contextType = reflect.TypeFor[context.Context]()

func params(m reflect.Value) (takesContext, takesTasks bool) {
	for k := range m.Type().NumIn() {
		takesContext = takesContext || m.Type().In(k) == contextType
		takesTasks = takesTasks || m.Type().In(k) == reflect.TypeFor[[]int]()
	}
	return takesContext, takesTasks
}

// What may be left out may be left out: options that are nil, an observer, channels, targets.
func TestAskedForLittle(t *testing.T) {
	w := inMemory(t)
	pair(t, w)
	ws := w.open(t, nil, haz.WithClock(nil), haz.WithLogger(nil), haz.WithActorSystem(nil, ""), haz.WithCPUs(0), haz.WithStateDir(""), haz.WithCacheDir(""))
	for _, targets := range [][]int{nil, {}} {
		r, err := ws.Run(t.Context(), targets, haz.RunOptions{})
		if err != nil || !r.OK() || len(r.Outcomes) != 0 {
			t.Errorf("a run of nothing: %+v, %v", r, err)
		}
		if p, err := ws.Plan(targets); err != nil || len(p.Tasks) != 0 {
			t.Errorf("a plan of nothing: %+v, %v", p, err)
		}
	}
	selected, err := ws.Select(t.Context(), haz.Selection{Only: []haz.TaskID{ws.W.Tasks[0].ID}})
	if err != nil || len(selected.Plan.Tasks) != 2 {
		t.Fatalf("%+v, %v", selected, err)
	}
	for range 2 { // a plan can be run again
		r, err := ws.RunPlan(t.Context(), selected.Plan, haz.RunOptions{})
		if err != nil || !r.OK() || r.Counts.Completed != 2 {
			t.Errorf("%+v, %v", r, err)
		}
	}
	closed, signals, wishes := make(chan haz.Interrupt), make(chan haz.Interrupt), make(chan func())
	close(closed)
	for _, o := range []haz.RunOptions{{Jobs: -3}, {Signals: closed}, {Signals: signals, Suspend: wishes}} {
		if r, err := ws.Run(t.Context(), []int{1, 0}, o); err != nil || !r.OK() {
			t.Errorf("%+v, %v", r, err)
		}
	}
	if e, err := ws.Why(t.Context(), 0, haz.WhyOptions{}); err != nil || e.Lookup != "hit" {
		t.Errorf("%+v, %v", e, err)
	}
	if s, err := ws.Select(t.Context(), haz.Selection{Only: []haz.TaskID{}}); err != nil || len(s.Targets) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if w.remove(t, "/.haz"); slices.Contains(w.spawner.labels(), "") {
		t.Error("a process without a task")
	}
	mem := memfs.New()
	if err := haz.InitProjects("/", nil, nil, haz.WithFileSystem(mem)); err != nil {
		t.Error(err)
	}
}
