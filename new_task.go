package haz

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/haz-build/haz/workspace"
)

// TaskDeclaration is one task. It has a Command or a Shell script. Items with `!` in front, folders with `/` behind, references and files
// with `?` behind, and sets as `$name`, are spelled as in files.
type TaskDeclaration struct {
	Name                     string
	Command                  []string
	Shell, ShellType         string
	ShellOptions             []string // nil: the usual ones of the shell
	AppendArguments          bool     // args: append
	Inputs, Exclude, Outputs []string
	Deps, WeakDeps           []string
	After                    []string // finalizers: tasks that run when this one was started and has ended, whatever its end
	NarrowDeps               []string // more deps, of which nothing counts but their outputs (closure: false)
	PrintedDeps              []string // deps, those of NarrowDeps or more, of which what they print counts, too (streams: true)
	Tools                    []Tool   // nil: the programs that are found in the command or the script
	Mutex                    string   // "db", "~:db"
	SharedMutex              bool     // others that say so may hold it as well
	FromHost, Pass, EnvFiles []string
	Override                 map[string]string
	StrictEnv, LaxEnv        bool // env.strict is true, or false; neither: what the project and the workspace say
	Uncached                 bool // cache: false
	Incremental              bool
	Interactive, TTY         bool
	Matrix                   map[string][]string
	Timeout                  time.Duration // in whole milliseconds; 0: as if it was not there; NoTimeout: none, whatever the run says
	If                       Condition
	Retry                    Retry
	Service                  *Service // its process stays, for those that depend on it
	Description              string
	Internal                 bool
}

// NoTimeout is the Timeout of a task that may run for ever (`timeout: 0s`).
const NoTimeout = workspace.NoTimeout

// Tool is a program that counts in the cache key of a task.
type Tool struct {
	Name  string
	Probe []string // a command whose output counts in place of the program's bytes; nil: none
}

// Condition is when a task is carried out at all: all that it says must hold.
type Condition struct{ OS, Env, Exists string }

// Retry says that a task is tried again when its process fails.
type Retry struct {
	Times  int           // further attempts, at most
	On     []string      // after which failures: "timeout", "signal", exit codes; nil: any of the process
	Delay  time.Duration // before the second attempt, in whole milliseconds
	Factor float64       // by which that grows from one to the next; 0 is 1
}

// Service says that a task is one: a server, or the like, whose process stays. Tasks that depend on it begin when it is ready.
type Service struct {
	Port     int  // that it listens on, as HAZ_PORT in its environment; 0: it says none, or AutoPort
	AutoPort bool // a free one, another in each run

	// How it is seen to be ready: exactly one of these.
	ReadyPort    bool // something takes connections at its port
	ReadyURL     string
	ReadyOutput  string // it has printed a line with this text
	ReadyCommand []string
	ReadyFile    string

	ReadyStatus   int           // of ReadyURL; 0: any from 200 to 399
	ReadyTimeout  time.Duration // in whole milliseconds; 0: a minute
	ReadyInterval time.Duration // between two looks, in whole milliseconds; 0: 100 ms

	StopSignal string         // "TERM", "INT", "HUP", "QUIT", "USR1", "USR2"; "": TERM
	StopGrace  *time.Duration // in whole milliseconds; nil: that of the run
	Restarts   int            // further starts when it has failed while it was needed

	Exports map[string]string // variables of those that depend on it, with "${HAZ_PORT}" for the port
}

// speller collects the keys of one task.
type speller struct {
	*declaration
	keys []string
}

func (s *speller) put(there bool, key, value string) {
	if there {
		s.keys = append(s.keys, key+": "+value)
	}
}

func (s *speller) texts(key string, texts []string) {
	if len(texts) > 0 {
		s.put(true, key, s.list(texts))
	}
}

func (s *speller) said(key, text string) {
	if text != "" {
		s.put(true, key, s.text(text))
	}
}

func (s *speller) String() string { return strings.Join(s.keys, ", ") }

func (t *TaskDeclaration) spell(w *declaration) string {
	s := &speller{declaration: w}
	if t.Command != nil {
		s.put(true, "command", w.list(t.Command))
	}
	s.said("shell", t.Shell)
	s.said("shell_type", t.ShellType)
	s.put(t.AppendArguments, "args", "append")
	if t.ShellOptions != nil {
		s.put(true, "shell_options", w.list(t.ShellOptions))
	}
	s.texts("inputs", t.Inputs)
	s.texts("exclude", t.Exclude)
	s.texts("outputs", t.Outputs)
	deps := t.spellDeps(w)
	s.put(deps != "", "deps", "["+deps+"]")
	s.texts("weakDeps", t.WeakDeps)
	s.texts("after", t.After)
	if t.Tools != nil {
		s.put(true, "tools", "["+t.spellTools(w)+"]")
	}
	if t.SharedMutex {
		s.put(true, "mutex", "{name: "+w.text(t.Mutex)+", mode: shared}")
	} else {
		s.said("mutex", t.Mutex)
	}
	env := t.spellEnv(w)
	s.put(env != "", "env", "{"+env+"}")
	s.put(t.Uncached, "cache", "false")
	s.put(t.Incremental, "incremental", "true")
	s.put(t.Interactive, "interactive", "true")
	s.put(t.TTY, "tty", "true")
	axes := speller{declaration: w}
	for _, key := range slices.Sorted(maps.Keys(t.Matrix)) {
		axes.put(true, w.text(key), w.list(t.Matrix[key]))
	}
	s.put(len(axes.keys) > 0, "matrix", "{"+axes.String()+"}")
	if t.Timeout == NoTimeout {
		s.put(true, "timeout", "0s")
	} else {
		s.put(t.Timeout != 0, "timeout", period(t.Timeout))
	}
	when := speller{declaration: w}
	when.said("os", t.If.OS)
	when.said("env", t.If.Env)
	when.said("exists", t.If.Exists)
	s.put(len(when.keys) > 0, "if", "{"+when.String()+"}")
	retry := t.Retry.spell(w)
	s.put(retry != "", "retry", "{"+retry+"}")
	if t.Service != nil {
		s.put(true, "service", "{"+t.Service.spell(w)+"}")
	}
	s.said("description", t.Description)
	s.put(t.Internal, "internal", "true")
	return s.String()
}

func (t *TaskDeclaration) spellDeps(w *declaration) string {
	deps := make([]string, 0, len(t.Deps)+len(t.NarrowDeps)+len(t.PrintedDeps))
	for _, ref := range t.Deps {
		deps = append(deps, w.text(ref))
	}
	for _, ref := range t.NarrowDeps {
		deps = append(deps, "{task: "+w.text(ref)+", closure: false, streams: "+strconv.FormatBool(slices.Contains(t.PrintedDeps, ref))+"}")
	}
	for _, ref := range t.PrintedDeps {
		if !slices.Contains(t.NarrowDeps, ref) {
			deps = append(deps, "{task: "+w.text(ref)+", streams: true}")
		}
	}
	return strings.Join(deps, ", ")
}

func (t *TaskDeclaration) spellTools(w *declaration) string {
	tools := make([]string, len(t.Tools))
	for i, tool := range t.Tools {
		if tools[i] = w.text(tool.Name); tool.Probe != nil {
			tools[i] = "{name: " + tools[i] + ", probe: " + w.list(tool.Probe) + "}"
		}
	}
	return strings.Join(tools, ", ")
}

// spellEnv spells the keys of env.
func (t *TaskDeclaration) spellEnv(w *declaration) string {
	s := speller{declaration: w}
	s.texts("from_host", t.FromHost)
	s.texts("pass", t.Pass)
	s.texts("files", t.EnvFiles)
	set := speller{declaration: w}
	for _, name := range slices.Sorted(maps.Keys(t.Override)) {
		set.put(true, w.text(name), w.text(t.Override[name]))
	}
	s.put(len(set.keys) > 0, "override", "{"+set.String()+"}")
	if said := strict(t.StrictEnv, t.LaxEnv); said != "" {
		s.keys = append(s.keys, said)
	}
	return s.String()
}

func (v *Service) spell(w *declaration) string {
	port := strconv.Itoa(v.Port)
	if v.AutoPort {
		port = "auto"
	}
	ready := speller{declaration: w}
	ready.put(v.ReadyPort, "port", port)
	http := speller{declaration: w}
	http.said("url", v.ReadyURL)
	http.put(v.ReadyStatus != 0, "status", strconv.Itoa(v.ReadyStatus))
	ready.put(len(http.keys) > 0, "http", "{"+http.String()+"}")
	ready.said("output", v.ReadyOutput)
	if v.ReadyCommand != nil {
		ready.put(true, "command", w.list(v.ReadyCommand))
	}
	ready.said("file", v.ReadyFile)
	ready.put(v.ReadyTimeout != 0, "timeout", period(v.ReadyTimeout))
	ready.put(v.ReadyInterval != 0, "interval", period(v.ReadyInterval))

	s := speller{declaration: w}
	s.put(true, "ready", "{"+ready.String()+"}")
	s.put(v.Port != 0 || v.AutoPort, "port", port)
	stop := speller{declaration: w}
	stop.said("signal", v.StopSignal)
	if v.StopGrace != nil {
		stop.put(true, "grace", period(*v.StopGrace))
	}
	s.put(len(stop.keys) > 0, "stop", "{"+stop.String()+"}")
	s.put(v.Restarts != 0, "restart", "on-failure, limit: "+strconv.Itoa(v.Restarts))
	exports := speller{declaration: w}
	for _, name := range slices.Sorted(maps.Keys(v.Exports)) {
		exports.put(true, w.text(name), w.text(v.Exports[name]))
	}
	s.put(len(exports.keys) > 0, "exports", "{"+exports.String()+"}")
	return s.String()
}

func (r *Retry) spell(w *declaration) string {
	s := speller{declaration: w}
	s.put(r.Times != 0, "times", strconv.Itoa(r.Times))
	if r.On != nil {
		s.put(true, "on", w.list(r.On))
	}
	s.put(r.Delay != 0, "delay", period(r.Delay))
	s.put(r.Factor != 0, "factor", strconv.FormatFloat(r.Factor, 'f', -1, 64))
	return s.String()
}

// period spells a time as files have it; one that they cannot have, as Go has it, for the mistake to be told.
func period(d time.Duration) string {
	if d < 0 || d%time.Millisecond != 0 {
		return strconv.QuoteToASCII(d.String())
	}
	return workspace.Period(d)
}
