package config

import "github.com/haz-build/haz/workspace"

// The tables of the language: every key with its type, what it accepts, its default, its rule and what it is for. The mapper
// reads files by them; the JSON Schemas and the reference manual are printed from them.

// A Kind is the shape of a value.
type Kind uint8

const (
	Scalar      Kind = iota + 1 // a text, as written
	Flag                        // an unquoted boolean
	ListOf                      // a list of texts; with Object, of texts and maps with its keys
	Map                         // a map with the keys of Object
	Dict                        // a map with free keys; its values are Object, or texts
	ScalarOrMap                 // a text, or a map with the keys of Object
	WordOrList                  // the text Word, or a list of texts that are among Allowed
)

// A Format is what the text of a scalar, of a list's items or of a dict's values must look like.
type Format uint8

const (
	AnyText Format = iota
	Argument
	Program
	Name
	ProjectName // a name of parts: of projects
	TaskName    // and of tasks
	ShellName
	ShellOption
	CellValue
	EnvName
	UmaskText
	EnvFile  // a path, and perhaps `?`
	PassName // EnvName, or its beginning and `*`
	ProjectPattern
	PathPattern
	SelectPattern // that, or one with "!" in front
	InputPattern  // that, or the name of a set behind "$"
	SetName
	TaskReference
	MutexName
	DurationText
	PeriodText
	RetryTimes
	RetryFactor
	FailureText
	LiteralText
	SizeText
	Location
	Concurrency
	Cap
	Grace
	PortText // a number, or `auto` where a field has that Word
	URLText
	StatusText
	Restarts
	OutputText
)

// A Type says what a key holds.
type Type struct {
	Kind     Kind
	Format   Format
	Keys     Format   // of a Dict
	Allowed  []string // the only texts, where there are but a few
	Word     string   // of WordOrList
	NonEmpty bool     // a list with at least one item
	Unique   bool     // a list without equal texts
	Lists    bool     // the values of a Dict are lists of such texts; NonEmpty and Unique are about these
	Object   *Object
}

// A Field is one key of a map.
type Field struct {
	Key      string
	Rule     string // "haz::cfg::016": the rule of the key, and the code of a wrong type (haz::cfg::005)
	KeyRule  string // of a Dict: the rule that a bad key breaks, when it is another
	Type     Type
	Required bool
	Default  string // for readers
	Accepts  string // for readers
	Doc      string // for readers: one or two sentences
	Added    bool   // not in the language that haz is compatible with
}

// An Object is a map with a closed set of keys.
type Object struct {
	Name    string // "task"
	Article string // "a task"
	Rule    string // of an unknown key; haz::cfg::004 unless the map has a rule of its own
	Fields  []Field
	Doc     string
	Says    bool // a map without keys is none
}

func (o *Object) field(key string) *Field {
	for i := range o.Fields {
		if o.Fields[i].Key == key {
			return &o.Fields[i]
		}
	}
	return nil
}

func (o *Object) keys() []string {
	keys := make([]string, len(o.Fields))
	for i, f := range o.Fields {
		keys[i] = f.Key
	}
	return keys
}

// ecosystems are those whose manifests can be read.
var ecosystems = []string{"node", "go", "cargo", "uv"}

var workspaceObject = &Object{
	Name: "workspace", Article: "the workspace file", Rule: "haz::cfg::004",
	Doc: "`.haz/workspace.yml` makes a folder the root of a workspace: it lists the projects and holds the settings.",
	Fields: []Field{
		{Key: "projects", Rule: "haz::cfg::009", Required: true, Type: Type{Kind: ListOf, Format: ProjectPattern},
			Accepts: "folders or globs that start with `/`, the root of the workspace; beside `infer` it may be left out",
			Doc: "Where the projects are. Each folder holds a `haz.yml`, or is one that `infer` finds. The root is a project when `/` is listed or a `haz.yml` lies there. `[]` is a workspace without projects. " +
				"What a sparse checkout of git leaves out is left out here, too, with a note; a task that depends on it is an error with the command that brings it."},
		{Key: "infer", Rule: "haz::cfg::094", Added: true, Type: Type{Kind: WordOrList, Word: "auto", Allowed: ecosystems, Unique: true}, Default: "none", Accepts: "`auto`, a list of `node`, `go`, `cargo`, `uv`, or a map of these: `{node: {scripts: true}}`, `{node: {scripts: [build, test]}}`",
			Doc: "Whose manifests say where projects are and which of them uses which: `package.json`, `go.mod`, `Cargo.toml`, `pyproject.toml`. A folder found so needs no `haz.yml`. `auto` is all of them, each where there is one in the root. With `node: {scripts: true}` the scripts of each `package.json` are tasks of its project; with a list of names those of these names are, but for the root of several packages."},
		{Key: "cache", Rule: "haz::cfg::027", Type: Type{Kind: Map, Object: cacheObject}, Doc: "Settings of the cache."},
		{Key: "concurrency", Rule: "haz::cfg::028", Type: Type{Kind: Map, Object: concurrencyObject}, Doc: "How many tasks run side by side."},
		{Key: "output", Rule: "haz::cfg::030", Type: Type{Kind: Map, Object: outputObject}, Doc: "How the output of tasks is shown."},
		{Key: "execution", Rule: "haz::cfg::031", Type: Type{Kind: Map, Object: executionObject}, Doc: "How tasks are run."},
		{Key: "env", Rule: "haz::cfg::042", Added: true, Type: Type{Kind: Map, Object: strictObject}, Doc: "What holds for the environment of every task."},
		filesField("Sets of files with names, for `inputs` of every project: `sources: [\"src/**\"]` is used as `$sources`. Their paths are those of the project that uses them, and its own sets of the same name win."),
		defaultsField,
	},
}

var cacheObject = &Object{
	Name: "cache", Article: "`cache`", Rule: "haz::cfg::004",
	Doc: "Settings of the cache, which lies in `.haz/cache` where nothing else is said.",
	Fields: []Field{
		{Key: "hash", Rule: "haz::cfg::027", Type: Type{Kind: Scalar, Allowed: []string{"blake3", "sha256"}}, Default: "`blake3`",
			Accepts: "`blake3`, `sha256`", Doc: "The hash function of keys and stored files. Changing it starts with an empty cache."},
		{Key: "location", Rule: "haz::cfg::040", Type: Type{Kind: Scalar, Format: Location}, Default: "`.haz/cache`", Accepts: "a folder that begins with `/`, `./`, `../` or `~/`",
			Doc:   "Where the cache lies, outside of the workspace: on the host, relative to the root, or in your home. `--cache-dir` and `--state-dir` win over it.",
			Added: true},
		{Key: "clean", Rule: "haz::cfg::034", Type: Type{Kind: Map, Object: cleanObject}, Doc: "What `haz cache clean` removes when it is not told otherwise."},
	},
}

var cleanObject = &Object{
	Name: "clean", Article: "`cache.clean`", Rule: "haz::cfg::004",
	Doc: "Defaults of `haz cache clean`.",
	Fields: []Field{
		{Key: "max_age", Rule: "haz::cfg::034", Type: Type{Kind: Scalar, Format: DurationText}, Default: "none", Accepts: "a duration: `90d`, `7d12h`",
			Doc: "Entries older than this go. One or more numbers, each with a unit `s`, `m`, `h`, `d` or `w`, written together; each unit at most once."},
		{Key: "max_size", Rule: "haz::cfg::035", Type: Type{Kind: Scalar, Format: SizeText}, Default: "none", Accepts: "a size: `5GiB`, `200MB`, `1024`",
			Doc: "The oldest entries go until the rest is at most this large. A number with nothing or `B` (bytes), `KB MB GB TB` (powers of 1000) or `KiB MiB GiB TiB` (powers of 1024) behind it."},
	},
}

var concurrencyObject = &Object{
	Name: "concurrency", Article: "`concurrency`", Rule: "haz::cfg::004",
	Doc: "How many tasks run side by side. A task starts only when the default and every cap of its project's tags allow it.",
	Fields: []Field{
		{Key: "default", Rule: "haz::cfg::028", Type: Type{Kind: Scalar, Format: Concurrency}, Default: "`auto`", Accepts: "`auto`, or an unquoted integer, at least 1",
			Doc: "How many tasks of the whole workspace. `auto` is twice the number of usable CPUs, and at most 8 more than that number."},
		{Key: "tags", Rule: "haz::cfg::029", Type: Type{Kind: Dict, Keys: Name, Format: Cap}, Default: "empty", Accepts: "a map from tag to an integer, at least 1",
			Doc: "How many tasks of all projects that carry the tag."},
	},
}

var outputObject = &Object{
	Name: "output", Article: "`output`", Rule: "haz::cfg::004",
	Doc: "How the output of tasks is shown.",
	Fields: []Field{
		{Key: "mode", Rule: "haz::cfg::030", Type: Type{Kind: Scalar, Allowed: []string{"live", "buffered", "new-only"}}, Default: "`live`", Accepts: "`live`, `buffered`, `new-only`",
			Doc: "`live` shows each line when it comes, with the task's name before it; `buffered` shows a task's output when it ends; `new-only` is `live` without what cached tasks printed when they ran."},
		{Key: "ui", Rule: "haz::cfg::030", Added: true, Type: Type{Kind: Scalar, Allowed: []string{"never", "auto"}}, Default: "`never`", Accepts: "`never`, `auto`",
			Doc: "`auto` shows runs on the full screen of a terminal, as `--ui` does; `--no-ui`, `-q`, and continuous integration win."},
	},
}

var executionObject = &Object{
	Name: "execution", Article: "`execution`", Rule: "haz::cfg::004",
	Doc: "How tasks are run.",
	Fields: []Field{
		{Key: "cancel_grace", Rule: "haz::cfg::031", Type: Type{Kind: Scalar, Format: Grace}, Default: "`5`", Accepts: "a number of seconds, at least 0; fractions are fine",
			Doc: "How long a cancelled task may take to end after SIGTERM, or after SIGINT, which SIGTERM follows at half of it, before SIGKILL."},
		{Key: "umask", Rule: "haz::cfg::044", Added: true, Type: Type{Kind: Scalar, Format: UmaskText}, Default: "`022`", Accepts: "octal digits: `022`, `\"022\"`, `0o22`; from `000` to `077`",
			Doc: "Which permissions the files that tasks make lack. It is that of every task, whatever umask haz is started with, and part of the cache key."},
	},
}

var projectObject = &Object{
	Name: "project", Article: "a project", Rule: "haz::cfg::004",
	Doc: "`haz.yml` makes its folder a project.",
	Fields: []Field{
		{Key: "name", Rule: "haz::cfg::013", Required: true, Type: Type{Kind: Scalar, Format: ProjectName}, Accepts: "a name, unique in the workspace",
			Doc: "What tasks of other projects and the command line call it."},
		{Key: "aliases", Rule: "haz::cfg::075", Added: true, Type: Type{Kind: ListOf, Format: ProjectName, Unique: true}, Default: "empty", Accepts: "names, each once, that no other project has as name or alias",
			Doc: "Other names of the project, which may be used wherever a project is named. What haz prints is the name."},
		{Key: "tags", Rule: "haz::cfg::014", Type: Type{Kind: ListOf, Format: Name, Unique: true}, Default: "empty", Accepts: "names, each once",
			Doc: "Groups that the project belongs to: for references like `[lib]:build`, for overlays and for caps."},
		{Key: "uses", Rule: "haz::cfg::065", Added: true, Type: Type{Kind: ListOf, Unique: true}, Default: "empty", Accepts: "names of other projects, each once",
			Doc: "The projects that this one uses: `^uses:build` among `deps` is the task `build` of each of them. They may use each other in a circle."},
		{Key: "env", Rule: "haz::cfg::042", Added: true, Type: Type{Kind: Map, Object: strictObject}, Doc: "What holds for the environment of the project's tasks."},
		filesField("Sets of files with names, for `inputs` of the project's tasks: `sources: [\"src/**\"]` is used as `$sources`. They win over those of the workspace."),
		defaultsField,
		{Key: "tasks", Rule: "haz::cfg::015", KeyRule: "haz::cfg::006", Type: Type{Kind: Dict, Keys: TaskName, Object: taskObject}, Default: "empty", Accepts: "a map from task name to a task",
			Doc: "What can be run. `default` is what a bare `haz run` in the folder runs."},
	},
}

var overlayObject = &Object{
	Name: "overlay", Article: "an overlay", Rule: "haz::cfg::004",
	Doc: "`.haz/tasks/<name>.yml` gives tasks to many projects at once. Each task is as if it stood in the project's own file.",
	Fields: []Field{
		{Key: "tagsFilter", Rule: "haz::cfg::024", Type: Type{Kind: ListOf, Format: Name, Unique: true, NonEmpty: true}, Default: "every project", Accepts: "names, each once, at least one",
			Doc: "The tasks go to every project that carries all of these tags. Without it they go to every project."},
		{Key: "tasks", Rule: "haz::cfg::025", KeyRule: "haz::cfg::006", Required: true, Type: Type{Kind: Dict, Keys: TaskName, Object: taskObject}, Accepts: "a map from task name to a task",
			Doc: "The tasks. A project's own task of the same name wins; among overlays, the one for fewer projects. With `inherit: true` the winner is completed by what it wins over."},
	},
}

var taskObject = &Object{
	Name: "task", Article: "a task", Rule: "haz::cfg::004",
	Doc: "A task runs in its project's folder. It has either `command` or `shell`.",
	Fields: []Field{
		{Key: "command", Rule: "haz::cfg::021", Type: Type{Kind: ListOf, Format: Argument, NonEmpty: true}, Accepts: "a list: program, arguments",
			Doc: "A program and its arguments, run without a shell. A program name without `/` is looked up in the `PATH` that the task's `env` gives it."},
		{Key: "shell", Rule: "haz::cfg::022", Type: Type{Kind: Scalar, Format: Argument}, Accepts: "a text",
			Doc: "A script for the shell."},
		{Key: "shell_type", Rule: "haz::cfg::022", Type: Type{Kind: Scalar, Format: ShellName}, Default: "`sh`", Accepts: "a name of at most 32 bytes; only with `shell`",
			Doc: "The shell that runs the script, as `<shell_type> -e -c <script>`, so that the first command that fails ends it (`set +e` in the script turns that off); shells that are not of the POSIX family (`pwsh`, `fish`) are called without `-e`."},
		{Key: "shell_options", Rule: "haz::cfg::022", Added: true, Type: Type{Kind: ListOf, Format: ShellOption}, Default: "`[-e]`; with `bash`, `zsh` and `ksh` `[-e, -o, pipefail]`", Accepts: "a list of arguments without `-c`; only with `shell`",
			Doc: "The options of the shell, in place of the usual ones. `pipefail` says that a pipe fails when any command of it does; `[]` is none."},
		{Key: "args", Rule: "haz::cfg::093", Added: true, Type: Type{Kind: Scalar, Allowed: []string{"append"}}, Default: "`\"$@\"` in the script", Accepts: "`append`; only with `shell`",
			Doc: "Where the arguments of `haz run TASK -- ARGUMENTS` go: `append` puts them behind the script. Without it the script says where, by `\"$@\"`. Behind a `command` they go anyway."},
		{Key: "inputs", Rule: "haz::cfg::016", Type: Type{Kind: ListOf, Format: InputPattern, Unique: true}, Default: "empty", Accepts: "paths and globs, `$project`, `$lock`, or `$` and the name of a set of `files`, each text once; with `!` in front: what it takes away from those before it",
			Doc: "The files that the task reads. When one of them changes, the task runs again."},
		{Key: "exclude", Rule: "haz::cfg::037", Added: true, Type: Type{Kind: ListOf, Format: PathPattern, Unique: true}, Default: "empty", Accepts: "paths and globs, each text once",
			Doc: "What these match is taken from what the globs of `inputs` select."},
		{Key: "outputs", Rule: "haz::cfg::017", Type: Type{Kind: ListOf, Format: SelectPattern, Unique: true}, Default: "empty", Accepts: "paths and globs, each text once; with `!` in front: what it takes away from those before it",
			Doc: "The files that the task makes. They are stored in the cache and restored from there."},
		{Key: "deps", Rule: "haz::cfg::018", Type: Type{Kind: ListOf, Format: TaskReference, Unique: true, Object: depObject}, Default: "empty", Accepts: "references, each text once, with `?` behind one that may mean no task; or maps with `task`, and `closure` or `streams`",
			Doc: "Tasks that must have succeeded before. They are part of every run of this one, and when what they or anything behind them made changes, it runs again."},
		{Key: "weakDeps", Rule: "haz::cfg::018", Type: Type{Kind: ListOf, Format: TaskReference, Unique: true}, Default: "empty", Accepts: "references, each text once",
			Doc: "Tasks that end before this one starts, when both are in a run. They are not pulled in, and their failure does not matter."},
		{Key: "after", Rule: "haz::cfg::083", Added: true, Type: Type{Kind: ListOf, Format: TaskReference, Unique: true}, Default: "empty", Accepts: "references, each text once, with `?` behind one that may mean no task",
			Doc: "Its finalizers: tasks that run when this one was started and has ended, whatever its end: failed, timed out and cancelled as well. They are part of every run of this one, and are never cached."},
		{Key: "mutex", Rule: "haz::cfg::019", Type: Type{Kind: ScalarOrMap, Format: MutexName, Object: mutexObject}, Default: "none", Accepts: "a name, `~:name`, or a map with `name` and `mode`",
			Doc: "A lock that the task holds while it runs, exclusive when only its name is given. `db` is one lock for the workspace, `~:db` one for this project."},
		{Key: "tools", Rule: "haz::cfg::050", Added: true, Type: Type{Kind: ListOf, Format: Program, Unique: true, Object: toolObject}, Default: "those in `command` or `shell`",
			Accepts: "names of programs, each once; or maps with `name` and `probe`",
			Doc:     "The programs that count in the cache key by their bytes, in place of those that are found in the command or the script. `[]`: none."},
		{Key: "env", Rule: "haz::cfg::032", Type: Type{Kind: Map, Object: envObject}, Default: "empty", Accepts: "a map",
			Doc: "The environment of the task: these variables, and a few that pass by default, such as `PATH` and `HOME`. It has nothing else."},
		{Key: "cache", Rule: "haz::cfg::036", Added: true, Type: Type{Kind: Flag}, Default: "`true`", Accepts: "`true`, `false`",
			Doc: "`false`: the task runs each time it is in a run, and is never stored."},
		{Key: "incremental", Rule: "haz::cfg::039", Added: true, Type: Type{Kind: Flag}, Default: "`false`", Accepts: "`true`, `false`",
			Doc: "`true`: when the task runs again, what it made before stays, for a tool that updates it. Otherwise it is taken away first."},
		{Key: "matrix", Rule: "haz::cfg::092", Added: true, Type: Type{Kind: Dict, Keys: EnvName, Format: CellValue, Lists: true, NonEmpty: true, Unique: true}, Default: "none", Accepts: "a map from key to a list of values",
			Doc: "Makes a task of each combination of values, at most 256: `test[node=22]`. They stand in `command`, `inputs`, `exclude`, `outputs`, `tools`, and `files` and `override` of `env` as `${matrix.node}`, and are variables, `HAZ_MATRIX_NODE`. `test` means all of them."},
		{Key: "interactive", Rule: "haz::cfg::090", Added: true, Type: Type{Kind: Flag}, Default: "`false`", Accepts: "`true`, `false`",
			Doc: "`true`: the task has the terminal, for a tool that asks questions. It runs alone, shows its output itself and is never cached. Without a terminal the run is refused."},
		{Key: "tty", Rule: "haz::cfg::091", Added: true, Type: Type{Kind: Flag}, Default: "`false`", Accepts: "`true`, `false`",
			Doc: "`true`: standard output and error of the task are one terminal as wide as yours, for a tool that colours and wraps by what it sees. All that it prints counts as standard output."},
		{Key: "timeout", Rule: "haz::cfg::080", Added: true, Type: Type{Kind: Scalar, Format: PeriodText}, Default: "none, or what `--timeout` says", Accepts: "a time: `10m`, `1m30s`, `500ms`; `0s` is none",
			Doc: "How long the task's process may run, not counting what it waits for. Then it is ended as a cancelled one is, and the task has failed. It is no part of the cache key."},
		{Key: "if", Rule: "haz::cfg::082", Added: true, Type: Type{Kind: Map, Object: ifObject}, Default: "none", Accepts: "a map with `os`, `env` and `exists`",
			Doc: "When the task is carried out at all: all that it says must hold. Otherwise it is skipped, and what depends on it goes on as if it had succeeded and made nothing."},
		{Key: "retry", Rule: "haz::cfg::081", Added: true, Type: Type{Kind: ScalarOrMap, Format: RetryTimes, Object: retryObject}, Default: "`0`", Accepts: "an integer from 0 to 100, or a map with `times`, `on`, `delay` and `factor`",
			Doc: "How often the task is tried again when its process fails. What a failed attempt left is taken away first. It is no part of the cache key."},
		{Key: "service", Rule: "haz::cfg::140", Added: true, Type: Type{Kind: Map, Object: serviceObject}, Default: "none", Accepts: "a map with `ready`",
			Doc: "The task is a server, or the like: its process stays. Tasks that depend on it begin when it is ready, and it is stopped when the last of them has ended. It is started once a run, and only when one of them has to run."},
		{Key: "description", Rule: "haz::cfg::061", Added: true, Type: Type{Kind: Scalar}, Default: "none", Accepts: "a text",
			Doc: "What the task is for. `haz list`, `haz help TASK`, `haz why`, `haz init` and completion show it; lists show its first line. It is no part of the cache key."},
		{Key: "inherit", Rule: "haz::cfg::067", Added: true, Type: Type{Kind: Flag}, Default: "`false`", Accepts: "`true`, `false`",
			Doc: "`true`: what the body does not say, the overlay's of that task says, or in an overlay the next wider one's; lists are added. Otherwise a body stands alone."},
		{Key: "internal", Rule: "haz::cfg::062", Added: true, Type: Type{Kind: Flag}, Default: "`false`", Accepts: "`true`, `false`",
			Doc: "`true`: the task is there for other tasks. `haz list`, `haz help`, `haz init` and completion do not offer it; it runs as any other when it is named. It is no part of the cache key."},
	},
}

var depObject = &Object{
	Name: "dep", Article: "a dep", Rule: "haz::cfg::018",
	Doc: "A dep with what of it counts in the cache key.",
	Fields: []Field{
		{Key: "task", Rule: "haz::cfg::018", Required: true, Type: Type{Kind: Scalar, Format: TaskReference}, Accepts: "a reference", Doc: "The task, or tasks."},
		{Key: "closure", Rule: "haz::cfg::038", Added: true, Type: Type{Kind: Flag}, Default: "`true`", Accepts: "`true`, `false`",
			Doc: "`false`: only the outputs of the task itself count, and nothing of the tasks behind it."},
		{Key: "streams", Rule: "haz::cfg::043", Added: true, Type: Type{Kind: Flag}, Default: "`false`", Accepts: "`true`, `false`",
			Doc: "`true`: what the task prints counts as well."},
	},
}

var toolObject = &Object{
	Name: "tool", Article: "a tool", Rule: "haz::cfg::050",
	Doc: "A program with what of it counts in the cache key.",
	Fields: []Field{
		{Key: "name", Rule: "haz::cfg::050", Required: true, Type: Type{Kind: Scalar, Format: Program}, Accepts: "a program", Doc: "What it is called, looked up in the task's `PATH`."},
		{Key: "probe", Rule: "haz::cfg::051", Type: Type{Kind: ListOf, Format: Argument, NonEmpty: true}, Default: "none", Accepts: "a list: program, arguments",
			Doc: "A command that is run once a run; what it prints counts in place of the program's bytes: `[node, --version]`."},
	},
}

var mutexObject = &Object{
	Name: "mutex", Article: "a mutex", Rule: "haz::cfg::019",
	Doc: "A lock with its mode. Both keys are required.",
	Fields: []Field{
		{Key: "name", Rule: "haz::cfg::019", Required: true, Type: Type{Kind: Scalar, Format: MutexName}, Accepts: "a name, or `~:name`", Doc: "The lock."},
		{Key: "mode", Rule: "haz::cfg::019", Required: true, Type: Type{Kind: Scalar, Allowed: []string{"exclusive", "shared"}}, Accepts: "`exclusive`, `shared`",
			Doc: "`shared` locks may be held together; an `exclusive` one only alone."},
	},
}

var ifObject = &Object{
	Name: "if", Article: "`if`", Rule: "haz::cfg::082", Says: true,
	Doc: "When a task is carried out at all.",
	Fields: []Field{
		{Key: "os", Rule: "haz::cfg::082", Type: Type{Kind: Scalar, Allowed: []string{"linux", "macos", "darwin", "freebsd", "netbsd", "openbsd", "windows"}}, Default: "any", Accepts: "`linux`, `macos` (or `darwin`), `freebsd`, `netbsd`, `openbsd`, `windows`", Doc: "The operating system that haz runs on."},
		{Key: "env", Rule: "haz::cfg::082", Type: Type{Kind: Scalar, Format: EnvName}, Default: "none", Accepts: "the name of a variable", Doc: "A variable that is set, and not empty, where haz is started."},
		{Key: "exists", Rule: "haz::cfg::082", Type: Type{Kind: Scalar, Format: LiteralText}, Default: "none", Accepts: "a path without wildcards", Doc: "A file or folder that is there when the tasks that this one depends on have ended."},
	},
}

var serviceObject = &Object{
	Name: "service", Article: "`service`", Rule: "haz::cfg::140",
	Doc: "A task whose process stays, for those that depend on it.",
	Fields: []Field{
		{Key: "ready", Rule: "haz::cfg::141", Required: true, Type: Type{Kind: Map, Object: readyObject}, Accepts: "a map with one of `port`, `http`, `output`, `command`, `file`",
			Doc: "How one sees that it answers."},
		{Key: "port", Rule: "haz::cfg::142", Type: Type{Kind: Scalar, Format: PortText}, Default: "that of `ready`", Accepts: "a number from 1 to 65535, or `auto`",
			Doc: "Where it listens, as `HAZ_PORT` in its environment. `auto` is a free one, another in each run, so that runs do not meet."},
		{Key: "stop", Rule: "haz::cfg::140", Type: Type{Kind: Map, Object: stopObject}, Default: "as a cancelled task", Accepts: "a map with `signal` and `grace`",
			Doc: "How it is stopped when nobody needs it any more."},
		{Key: "restart", Rule: "haz::cfg::140", Type: Type{Kind: Scalar, Allowed: []string{"never", "on-failure"}}, Default: "`never`", Accepts: "`never`, `on-failure`",
			Doc: "What becomes of it when its process ends while tasks need it: they are cancelled, or it is started again."},
		{Key: "limit", Rule: "haz::cfg::140", Type: Type{Kind: Scalar, Format: Restarts}, Default: "`3`", Accepts: "an integer from 1 to 100; only with `restart: on-failure`",
			Doc: "How often it is started again in a run, at most."},
		{Key: "exports", Rule: "haz::cfg::143", Type: Type{Kind: Dict, Keys: EnvName, Format: Argument}, Default: "empty", Accepts: "a map from variable to text, with `${HAZ_PORT}` for the port",
			Doc: "Variables of the tasks that depend on it: `DB_URL: \"postgres://localhost:${HAZ_PORT}/app\"`."},
	},
}

var readyObject = &Object{
	Name: "ready", Article: "`ready`", Rule: "haz::cfg::141",
	Doc: "How one sees that a service answers: exactly one of `port`, `http`, `output`, `command` and `file`.",
	Fields: []Field{
		{Key: "port", Rule: "haz::cfg::142", Type: Type{Kind: Scalar, Format: PortText}, Default: "none", Accepts: "a number from 1 to 65535, or `auto`", Doc: "Something takes connections there, on this machine. It is the port of the service."},
		{Key: "http", Rule: "haz::cfg::142", Type: Type{Kind: Map, Object: httpObject}, Default: "none", Accepts: "a map with `url`", Doc: "A request is answered."},
		{Key: "output", Rule: "haz::cfg::141", Type: Type{Kind: Scalar, Format: OutputText}, Default: "none", Accepts: "a text of one line", Doc: "It has printed a line in which this text is."},
		{Key: "command", Rule: "haz::cfg::141", Type: Type{Kind: ListOf, Format: Argument, NonEmpty: true}, Default: "none", Accepts: "a list: program, arguments", Doc: "A command, run in its folder with its environment, ends with 0."},
		{Key: "file", Rule: "haz::cfg::141", Type: Type{Kind: Scalar, Format: LiteralText}, Default: "none", Accepts: "a path without wildcards", Doc: "Something lies there."},
		{Key: "timeout", Rule: "haz::cfg::141", Type: Type{Kind: Scalar, Format: PeriodText}, Default: "`60s`", Accepts: "a time of more than 0: `10s`, `500ms`", Doc: "How long it may take to be ready."},
		{Key: "interval", Rule: "haz::cfg::141", Type: Type{Kind: Scalar, Format: PeriodText}, Default: "`100ms`", Accepts: "a time of more than 0: `1s`, `50ms`", Doc: "How long to wait between two looks."},
	},
}

var httpObject = &Object{
	Name: "http", Article: "`http`", Rule: "haz::cfg::142",
	Doc: "A request of HTTP that a service answers when it is ready.",
	Fields: []Field{
		{Key: "url", Rule: "haz::cfg::142", Required: true, Type: Type{Kind: Scalar, Format: URLText}, Accepts: "a URL with `http` or `https`, with `${HAZ_PORT}` for the port", Doc: "What is asked for, by GET."},
		{Key: "status", Rule: "haz::cfg::142", Type: Type{Kind: Scalar, Format: StatusText}, Default: "any from 200 to 399", Accepts: "a number from 100 to 599", Doc: "The status of the answer."},
	},
}

var stopObject = &Object{
	Name: "stop", Article: "`stop`", Rule: "haz::cfg::140",
	Doc: "How a service is stopped.",
	Fields: []Field{
		{Key: "signal", Rule: "haz::cfg::140", Type: Type{Kind: Scalar, Allowed: workspace.StopSignals}, Default: "`TERM`", Accepts: "`TERM`, `INT`, `HUP`, `QUIT`, `USR1`, `USR2`", Doc: "The signal that asks it to end."},
		{Key: "grace", Rule: "haz::cfg::140", Type: Type{Kind: Scalar, Format: PeriodText}, Default: "`execution.cancel_grace`", Accepts: "a time: `5s`, `500ms`", Doc: "How long it may take to end before it is killed."},
	},
}

var retryObject = &Object{
	Name: "retry", Article: "`retry`", Rule: "haz::cfg::081",
	Doc: "When, and how often, a task is tried again.",
	Fields: []Field{
		{Key: "times", Rule: "haz::cfg::081", Required: true, Type: Type{Kind: Scalar, Format: RetryTimes}, Accepts: "an integer from 0 to 100", Doc: "How often, beyond the first attempt."},
		{Key: "on", Rule: "haz::cfg::081", Type: Type{Kind: ListOf, Format: FailureText, Unique: true, NonEmpty: true}, Default: "any failure of the process", Accepts: "`timeout`, `signal`, exit codes from 1 to 255, each once",
			Doc: "After which failures: the timeout ran out, a signal that haz has not sent ended it, it ended with that exit code."},
		{Key: "delay", Rule: "haz::cfg::081", Type: Type{Kind: Scalar, Format: PeriodText}, Default: "`0s`", Accepts: "a time: `10s`, `1m30s`, `500ms`",
			Doc: "How long to wait before the second attempt. Slots and locks are given back meanwhile."},
		{Key: "factor", Rule: "haz::cfg::081", Type: Type{Kind: Scalar, Format: RetryFactor}, Default: "`1`", Accepts: "a number from 1 to 100; fractions are fine",
			Doc: "By which the delay grows from one attempt to the next, to an hour at most."},
	},
}

var envObject = &Object{
	Name: "env", Article: "`env`", Rule: "haz::cfg::004",
	Doc: "The environment of a task.",
	Fields: []Field{
		{Key: "from_host", Rule: "haz::cfg::032", Type: Type{Kind: ListOf, Format: EnvName, Unique: true}, Default: "empty", Accepts: "names of variables, each once",
			Doc: "Variables that are copied from the environment of haz where they are set. Their values are part of the cache key."},
		{Key: "files", Rule: "haz::cfg::045", Added: true, Type: Type{Kind: ListOf, Format: EnvFile, Unique: true}, Default: "empty", Accepts: "paths, each once; `?` behind one that need not be there",
			Doc: "Files of variables, as `.env` files have them. A later one wins over an earlier one, and all over `from_host`. They are inputs, and the values are part of the cache key."},
		{Key: "pass", Rule: "haz::cfg::041", Added: true, Type: Type{Kind: ListOf, Format: PassName, Unique: true}, Default: "empty", Accepts: "names of variables, or `PREFIX_*`, each once",
			Doc: "Variables that the task sees where they are set, and whose values are in no cache key: for what a result does not depend on, such as a token."},
		{Key: "override", Rule: "haz::cfg::033", Type: Type{Kind: Dict, Keys: EnvName, Format: Argument}, Default: "empty", Accepts: "a map from variable to text",
			Doc: "Variables that are set to a text. They win over all others. Nothing is expanded."},
		strictField,
	},
}

// strictField says that nothing passes by default: of a task, or of all that do not say.
var strictField = Field{Key: "strict", Rule: "haz::cfg::042", Added: true, Type: Type{Kind: Flag}, Default: "that of the project, then of the workspace, then `false`", Accepts: "`true`, `false`",
	Doc: "`true`: nothing passes by default, not even `PATH`."}

var strictObject = &Object{
	Name: "settings_env", Article: "`env` of a workspace or project", Rule: "haz::cfg::004",
	Doc:    "The environment of tasks that do not say it themselves.",
	Fields: []Field{strictField},
}

// defaultsField says what tasks have that do not say it: all of the workspace, or those of a project.
var defaultsField = Field{Key: "defaults", Rule: "haz::cfg::066", Added: true, Type: Type{Kind: Map, Object: defaultsObject},
	Doc: "What tasks have without saying it. The nearest counts: what the task says, then its project, then the workspace; lists are added, and `env` by variable."}

// defaultKeys are the keys of a task that defaults may have: those that many tasks have alike.
var defaultKeys = []string{"env", "shell_type", "timeout", "retry", "tools", "exclude", "cache", "inputs"}

var defaultsObject = &Object{
	Name: "defaults", Article: "`defaults`", Rule: "haz::cfg::066",
	Doc:    "Keys of tasks, for all tasks of the workspace or of a project, those of overlays too. Each accepts what it accepts in a task, and is read as if it stood there: relative paths are the project's.",
	Fields: fieldsOf(taskObject, defaultKeys),
}

// fieldsOf are some of the keys of an object.
func fieldsOf(o *Object, keys []string) []Field {
	fields := make([]Field, len(keys))
	for i, key := range keys {
		fields[i] = *o.field(key)
	}
	return fields
}

// A fileKind is one of the three kinds of files.
type fileKind struct {
	object  *Object
	schema  string // name of its JSON Schema
	example string // the shortest useful file, as a hint
}

var (
	workspaceKind = fileKind{workspaceObject, "workspace", "a workspace without projects is: projects: []"}
	projectKind   = fileKind{projectObject, "project", "the shortest project is: name: core"}
	overlayKind   = fileKind{overlayObject, "overlay", "an overlay without tasks is: tasks: {}"}
)

// filesField is the key of named sets of files, the same in both files that have it.
func filesField(doc string) Field {
	return Field{Key: "files", Rule: "haz::cfg::060", Added: true, Type: Type{Kind: Dict, Keys: SetName, Format: InputPattern, Lists: true, Unique: true}, Default: "empty",
		Accepts: "a map from name to a list, as `inputs` has it", Doc: doc}
}
