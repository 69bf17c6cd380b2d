package haz_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/afero"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
	"github.com/haz-build/haz/ready"
)

// servers is a machine on which services live until they are told to end.
type servers struct {
	*processtest.Spawner
	mu    sync.Mutex
	log   []string // "start p:db", "end p:db"
	ports int
	live  map[string]chan struct{} // closed to let one die
	env   map[string][]string      // of the latest process of each
}

func newServers() *servers {
	s := &servers{Spawner: processtest.New(nil), live: map[string]chan struct{}{}, env: map[string][]string{}}
	s.Find = func(c process.Command) (processtest.Program, bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		die := make(chan struct{})
		s.log = append(s.log, "start "+c.Label)
		s.live[c.Label], s.env[c.Label] = die, c.Env
		return processtest.Program{Script: func(c process.Command, _ process.Sink, signals <-chan processtest.Signal) process.Exit {
			return s.run(c, die, signals)
		}}, true
	}
	return s
}

func (s *servers) run(c process.Command, die chan struct{}, signals <-chan processtest.Signal) process.Exit {
	if c.Argv[0] != "serve" {
		return process.Exit{}
	}
	select {
	case <-signals:
	case <-die:
	}
	s.mu.Lock()
	s.log = append(s.log, "end "+c.Label)
	s.mu.Unlock()
	return process.Exit{Code: -1, Signal: 15}
}

// said is what has happened since it was asked last.
func (s *servers) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.Join(s.log, ", ")
	s.log = nil
	return text
}

func (s *servers) Look(context.Context, ready.Probe) error { return nil }
func (s *servers) Taken(int) (ready.Holder, bool)          { return ready.Holder{}, false }
func (s *servers) FreePort() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ports++
	return 20_000 + s.ports, nil
}

// Services go on between runs that have the same ones, and another one takes the place of what is another one now: dependents end first (EXEC-082).
func TestServicesBetweenRuns(t *testing.T) {
	disk := fsys.Memory()
	write := func(name, text string) {
		t.Helper()
		if err := disk.MkdirAll("/ws/.haz", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := disk.MkdirAll("/ws/p", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := afero.WriteFile(disk, name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const tasks = `name: p
tasks:
  db: {command: [serve], inputs: [db.txt], service: {ready: {port: auto}, exports: {DB: "${HAZ_PORT}"}}}
  api: {command: [serve], inputs: [api.txt], deps: ["~:db"], service: {ready: {port: auto}}}
  test: {command: [check], inputs: [test.txt], deps: ["~:api"]}
`
	write("/ws/.haz/workspace.yml", "projects: [/p]\n")
	write("/ws/p/haz.yml", tasks)
	for _, name := range []string{"db", "api", "test"} {
		write("/ws/p/"+name+".txt", name)
	}
	s, services := newServers(), &haz.Services{}
	run := func(want string) {
		t.Helper()
		w, err := haz.Open(t.Context(), "/ws", haz.WithFileSystem(disk), haz.WithEnvironment([]string{}), haz.WithSpawner(s), haz.WithNetwork(s))
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		services.Retain(func(id haz.TaskID) bool { return w.W.Task(id) != nil })
		r, err := w.Run(t.Context(), []int{slices.IndexFunc(w.W.Tasks, func(t *haz.Task) bool { return t.ID.Task == "test" })}, haz.RunOptions{Services: services})
		if err != nil || !r.OK() {
			t.Fatalf("%v %+v", err, r)
		}
		if got := s.said(); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	run("start p:db, start p:api, start p:test")
	run("") // a hit
	write("/ws/p/test.txt", "other")
	run("start p:test")
	write("/ws/p/api.txt", "other")
	run("end p:api, start p:api, start p:test")
	write("/ws/p/db.txt", "other")
	run("end p:api, end p:db, start p:db, start p:api, start p:test")

	// One that has died between two runs is started anew, and so is what was told of its port.
	close(s.live["p:db"])
	for s.said() == "" {
	}
	write("/ws/p/test.txt", "another")
	run("start p:db, end p:api, start p:api, start p:test")
	if port := "DB=" + strings.TrimPrefix(s.env["p:db"][slices.IndexFunc(s.env["p:db"], func(v string) bool { return strings.HasPrefix(v, "HAZ_PORT=") })], "HAZ_PORT="); !slices.Contains(s.env["p:api"], port) {
		t.Errorf("the environment of the second is %q, without %s", s.env["p:api"], port)
	}

	// What is none any more ends, and Close ends all that is left, the last started first.
	services.Retain(func(id haz.TaskID) bool { return id.Task != "api" })
	if got := s.said(); got != "end p:api" {
		t.Error(got)
	}
	services.Close()
	if got := s.said(); got != "end p:db" {
		t.Error(got)
	}
	write("/ws/p/test.txt", "last")
	run("start p:db, start p:api, start p:test, end p:api, end p:db") // nothing is kept any more
}
