package haz

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/ready"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/git"
	"github.com/haz-build/haz/workspace/load"
)

// TaskID identifies a task.
type TaskID = workspace.TaskID

// Clock is the time that a run sees.
type Clock = actors.Clock

// Hooks and Fault are for WithHooks.
type (
	Hooks = actors.Hooks
	Fault = actors.Fault
)

// Services is for RunOptions.
type Services = actors.Services

type options struct {
	host        fsys.FS
	realHost    bool // host is the file system of the machine, not one of the embedder
	env         []string
	spawner     process.Spawner
	network     ready.Network
	clock       Clock
	system      *actor.ActorSystem
	spawnPrefix string
	logger      *slog.Logger
	hooks       Hooks
	os, arch    string
	trustOwner  bool
	forgive     bool
	stateDir    string // "": in the tree
	cacheDir    string
	children    []process.Option
	cpus        int
	long        bool // nothing is known from before
	program     func() string
}

// Option configures Open.
type Option func(*options)

// WithFileSystem sets the file system of the machine, rooted at "/"; directories given to Open are names in it. Default: the
// real one. In memory: fsys.Memory(), or any disk of afero's by fsys.FromAfero, with a spawner of package processtest. It is called by many goroutines at once, and what waits for
// a call that does not come back waits with it.
func WithFileSystem(fs fsys.FS) Option { return func(o *options) { o.host = fs } }

// WithEnvironment sets the host environment, "NAME=value", of which tasks see what they list. It is not copied: leave it
// alone until the workspace is closed. Default: os.Environ(), read by Open.
func WithEnvironment(env []string) Option { return func(o *options) { o.env = env } }

// WithSpawner sets what starts processes; it is not closed. It is called by many goroutines at once, and may take its time. Default: real
// processes, a spawner a run, with what process.System says of the process as a whole.
func WithSpawner(s process.Spawner) Option { return func(o *options) { o.spawner = s } }

// WithNetwork sets how haz sees whether services answer, and which ports are free. It is called by many goroutines at once. Default: the machine's.
func WithNetwork(n ready.Network) Option { return func(o *options) { o.network = n } }

// WithoutOtherChildren promises that this program starts no processes in sessions of their own but through haz. Then what a task
// has left behind, and comes to this process when it loses its parent, is reaped the moment it has died; else a zombie that
// could be the program's own child is left alone for 5 s.
func WithoutOtherChildren() Option {
	return func(o *options) { o.children = []process.Option{process.SoleParent} }
}

// WithClock sets the clock: of the run, and of the cache, where it says how old entries are. It is called by many
// goroutines at once, and must not block. Default: the real one.
func WithClock(c Clock) Option { return func(o *options) { o.clock = c } }

// WithActorSystem runs the actors in a system of the host's, under names that begin with prefix. The system is not shut down.
// Default: one system a workspace, made by its first run with tasks, until Close.
func WithActorSystem(s *actor.ActorSystem, prefix string) Option {
	return func(o *options) { o.system, o.spawnPrefix = s, prefix }
}

// WithHooks lets the host into the engine of each run, to look on or to break it on purpose.
func WithHooks(h Hooks) Option { return func(o *options) { o.hooks = h } }

// WithLogger gets what the actor library logs. Default: nothing is logged.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }

// WithCPUs sets how many CPUs count as usable. Default: those that affinity and container quota allow.
func WithCPUs(n int) Option { return func(o *options) { o.cpus = n } }

// WithoutShortcuts makes haz look at everything anew: neither what loading came to nor that a task is up to date is known from before.
// Results are the same, and it takes longer. Default: what was looked at and is as it was need not be worked out again.
func WithoutShortcuts() Option { return func(o *options) { o.long = true } }

// WithTrustedOwner makes Open and its kin work also where the root of the workspace, or a folder on the way to it, belongs to
// another user than the process's, or root: that user decides what runs here. Default: such a workspace is refused.
func WithTrustedOwner() Option { return func(o *options) { o.trustOwner = true } }

// WithForgivenManifests makes what is wrong with manifests of other tools a note of the workspace, and no error: what the others say is
// loaded. Default: it is an error like others.
func WithForgivenManifests() Option { return func(o *options) { o.forgive = true } }

// stranger is nil where everybody is trusted.
func (o *options) stranger() load.Stranger {
	if o.trustOwner {
		return nil
	}
	return stranger(o.env)
}

// WithPlatform sets the operating system and architecture that cache keys are made for. Default: those of the host.
func WithPlatform(os, arch string) Option {
	return func(o *options) { o.os, o.arch = os, arch }
}

func newOptions(opts []Option) options {
	o := options{os: runtime.GOOS, arch: runtime.GOARCH, program: program}
	for _, set := range opts {
		if set != nil {
			set(&o)
		}
	}
	if o.env == nil {
		o.env = os.Environ()
	}
	if o.network == nil {
		o.network = ready.Host{}
	}
	if o.clock == nil {
		o.clock = realClock{}
	}
	if o.cpus <= 0 {
		o.cpus = runtime.GOMAXPROCS(0) // honours affinity and container quota since Go 1.25
	}
	return o
}

// Open finds the workspace of a directory (an absolute host path), loads and checks it, all files and the whole graph.
// What the user wrote wrongly comes as *diag.Errors, all of it at once. Close the workspace when done.
func Open(ctx context.Context, dir string, opts ...Option) (*Workspace, error) {
	return open(ctx, dir, nil, opts)
}

// open opens what is declared, or nil and then in files.
func open(ctx context.Context, dir string, declared *load.Declared, opts []Option) (*Workspace, error) {
	o, err := openHost(ctx, dir, opts)
	if err != nil {
		return nil, err
	}
	how := o.loading(ctx, dir)
	how.Declared = declared
	found, err := load.Open(o.host, dir, how)
	if err != nil {
		return nil, err
	}
	c := o.compiling(found, dir, how)
	if w, g := c.recall(); w != nil {
		return o.opened(w, g, found.FS, dir, c)
	}
	how.Watch = c.watch()
	w, err := found.Read(ctx, how)
	var mistakes *diag.Errors
	if err != nil && !errors.As(err, &mistakes) || w == nil {
		_ = found.FS.Close()
		return nil, err
	}
	// What could be read is checked as well, so that all mistakes show at once.
	g, list := graph.Build(w)
	if mistakes != nil {
		list = append(slices.Clone(mistakes.List), list...)
	}
	if list.HasErrors() || g == nil {
		_ = found.FS.Close()
		return nil, &diag.Errors{List: list}
	}
	return o.opened(w, g, found.FS, dir, c)
}

// opened puts cache and state where they are to lie. It closes the tree where it cannot.
func (o *options) opened(w *workspace.Workspace, g *graph.Graph, tree fsys.FS, dir string, c *compiling) (*Workspace, error) {
	placed, err := o.place(w, tree)
	if err != nil {
		_ = tree.Close()
		return nil, err
	}
	return &Workspace{W: w, G: g, FS: placed, dir: dir, o: *o, compiled: c}, nil
}

// Glance opens what can be read of a workspace, whatever mistakes are in it: for hints. It has no graph, so that nothing but Resolve,
// ResolveOne, Meant, Hint, Bearing and Close may be asked of it. Nil when nothing can be read.
func Glance(ctx context.Context, dir string, opts ...Option) *Workspace {
	o, err := openHost(ctx, dir, opts)
	if err != nil {
		return nil
	}
	w, fs, _ := load.Workspace(ctx, o.host, dir, o.loading(ctx, dir))
	if w == nil {
		return nil
	}
	return &Workspace{W: w, FS: fs, dir: dir, o: o}
}

// root is where the workspace lies, without links, and as tasks see it.
func (w *Workspace) root() cache.Root {
	seen := w.FS.HostPath("/")
	real, err := w.o.host.RealPath(seen)
	if err != nil {
		real = seen
	}
	return cache.Root{Path: real, Seen: []string{seen}}
}

// loading is how the workspace of a directory is loaded. git is asked only about the real file system.
func (o *options) loading(ctx context.Context, dir string) load.Options {
	w := load.Options{Stranger: o.stranger(), ForgiveManifests: o.forgive}
	if o.realHost {
		w.NotCheckedOut = func(host fsys.FS, root string) []workspace.Absent {
			if !git.IsSparse(host, root) {
				return nil
			}
			var list []workspace.Absent
			for _, a := range git.NotCheckedOut(ctx, git.Options{Root: root, StartedIn: dir, Env: o.env}) {
				list = append(list, workspace.Absent{Dir: a.Dir, Text: a.Text, Add: a.Add})
			}
			return list
		}
	}
	return w
}

// Close gives the handle on the root directory back, and stops the actor system of the runs, which are to have returned.
func (w *Workspace) Close() error {
	if w == nil || w.FS == nil {
		return nil
	}
	w.system.close()
	return w.FS.Close()
}

// CPUs is the number of usable CPUs.
func (w *Workspace) CPUs() int { return w.o.cpus }

// manySlots is how many slots more than CPUs there are by default, at most: what waits at the same time is then enough to keep all of
// them busy, and each slot more costs the memory of a task.
const manySlots = 8

// Slots is how many tasks run at once where `auto` is said, or nothing (EXEC-004). Tasks wait (for disks, servers, for each other's locks), and
// compilers and test runners compute on one thread for much of their time; those that only compute do not get slower by it.
// docs/speed.md has the figures.
func (w *Workspace) Slots() int { return w.o.cpus + min(w.o.cpus, manySlots) }

// hostEnv is the snapshot of the host's environment.
func (w *Workspace) hostEnv() key.HostEnv { return key.NewHostEnv(w.o.env) }

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}
