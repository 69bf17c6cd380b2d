package config

import (
	"strings"
	"sync"

	"github.com/haz-build/haz/diag"
)

// foreign is a group of keys that other tools have in the place of one of our maps, and what to write instead.
type foreign struct {
	keys string // as squeeze leaves them, between blanks
	ours string // the key of the same map that holds the same; "" for none
	// write gives the hint for a value, "" when it cannot say it in our words, and asItStands when ours takes the value so. nil
	// is asItStands where there is a key of ours, and say otherwise.
	write func(ours string, v value) string
	say   string // the hint otherwise; when followed, the file loads
}

// asItStands says that only the key is another.
const asItStands = "="

// squeeze makes one spelling of dependsOn, depends_on and depends-on; "" for a key that is too long for any tool.
func squeeze(key string) string {
	if len(key) > len("dangerouslyDisablePackageManagerCheck") {
		return ""
	}
	return strings.ToLower(marks.Replace(key))
}

var marks = strings.NewReplacer("_", "", "-", "", "$", "", ".", "")

const (
	itsFolder     = `a task runs in its project's folder; to work elsewhere: shell: "cd dir && ..."`
	ownComment    = "write a comment: # ..."
	noVariables   = `variables of the shell do it: shell: "name=text; echo $name"; those of the environment are set by env: {override: {NAME: text}}`
	hiddenValue   = "a task says what it sees beside its cache key, or the defaults for all of them: env: {pass: [NAME]}"
	asService     = "a task whose process stays is a service: service: {ready: {port: 5432}}"
	noDotenv      = `a task says which files of variables it has, or the defaults for all of them: env: {files: [.env, ".env.local?"]}`
	inAnOverlay   = "tasks for many projects stand in .haz/tasks/<name>.yml, and inherit: true completes a task by theirs; inside a file, anchors of YAML do it: build: &base {...}, then test: {<<: *base}"
	namedSets     = `sets of files with names are declared under files, in haz.yml or the workspace file, and used as $name: files: {sources: ["src/**"]}`
	shownBy       = "what is shown is said where it is looked at: haz run -q, haz run --output-mode buffered, or output: {mode: buffered} in .haz/workspace.yml"
	schemaComment = "an editor finds the schema by a comment on the first line: # yaml-language-server: $schema=URL"
	remove        = "haz needs nothing of the kind; remove it"
	inScript      = `write it into the script: shell: "first && then"`
)

// foreignKeys are the keys of turbo, nx, moon, lage, wireit, Task, Bazel, npm, pnpm, docker compose, GitHub, GitLab and kin, by the
// name of our object. Where haz has nothing of the kind, the sentence says so and what to do; "yet" only where it is planned.
var foreignKeys = map[string][]foreign{
	"workspace": {
		{keys: "packages workspaces members modules project folders", ours: "projects", write: writeProjects},
		{keys: "inference inferred autoinfer detect autodetect discover discovery autodiscover manifests ecosystems languages", ours: "infer", say: "infer: auto"},
		{keys: "parallel parallelism jobs maxparallel maxconcurrency maxworkers concurrent", ours: "concurrency", write: writeConcurrency},
		{keys: "tasks pipeline targets targetdefaults scripts jobdefaults commands stages recipes", say: "tasks for many projects stand in .haz/tasks/<name>.yml"},
		{keys: "globaldependencies implicitdependencies", ours: "defaults", write: underDefaults("inputs", writeGlobalInputs), say: `defaults: {inputs: ["/tsconfig.json"]}`},
		{keys: "implicitinputs globalinputs", ours: "defaults", write: underDefaults("inputs", writeItems), say: `defaults: {inputs: ["/tsconfig.json"]}`},
		{keys: "taskoptions taskdefaults defaultoptions default", ours: "defaults"},
		{keys: "globalenv environment variables vars", ours: "defaults", write: underDefaults("env", writeEnv)},
		{keys: "globalpassthroughenv passthroughenv passenv passthrough", ours: "defaults", write: underDefaults("env", writePass), say: "defaults: {env: {pass: [NAME]}}"},
		{keys: "envmode strict", say: "it belongs under env: env: {strict: true}"},
		{keys: "dotenv envfile globaldotenv", ours: "defaults", write: underDefaults("env", writeGlobalFiles), say: `defaults: {env: {files: [/.env, "/.env.local?"]}}`},
		{keys: "inputs", ours: "files", write: writeSetsOrInputs},
		{keys: "namedinputs filegroups filesets filelists sets globaldependencygroups", ours: "files", write: writeSets},
		{keys: "cachedir cachedirectory cachefolder", say: "the cache is .haz/cache; to have it elsewhere: cache: {location: ../cache}"},
		{keys: "remotecache cacheoptions nxcloudaccesstoken nxcloudid hasher remote", say: "the cache is that of this machine; remove it"},
		{keys: "maxage maxsize", say: "it belongs under cache: cache: {clean: {max_age: 90d, max_size: 5GiB}}"},
		{keys: "hash", say: "it belongs under cache: cache: {hash: blake3}"},
		{keys: "mode outputmode outputlogs outputstyle ui loglevel silent logs", say: "output: {mode: buffered}, or mode: live, or mode: new-only"},
		{keys: "umask", say: "it belongs under execution: execution: {umask: 022}"},
		{keys: "cancelgrace grace gracetimeout stoptimeout", say: "it belongs under execution: execution: {cancel_grace: 5}"},
		{keys: "defaultbase affected base vcs", say: "what is affected is asked on the command line: haz run --affected --base origin/main"},
		{keys: "tags", say: "tags belong to projects; a cap for those with a tag: concurrency: {tags: {heavy: 1}}"},
		{keys: "shell interpreter scriptshell", ours: "defaults", write: underDefaults("shell_type", writeShellName)},
		{keys: "name id title", say: "a workspace has no name"},
		{keys: "version schemaversion", say: "a workspace file has no version"},
		{keys: "schema", say: schemaComment},
		{keys: "plugins toolchain toolchains node runner tasksrunneroptions generators generator constraints extends npmclient packagemanager daemon telemetry boundaries", say: remove},
		{keys: "description", say: ownComment},
		{keys: "services", say: asService},
		{keys: "includes include imports import", say: "projects lists the folders that have a haz.yml: projects: [/app]"},
	},
	"cache": {
		{keys: "maxage maxsize age size", say: "it belongs under clean: clean: {max_age: 90d, max_size: 5GiB}"},
		{keys: "dir directory path folder", say: "the cache is .haz/cache; to have it elsewhere: location: ../cache"},
		{keys: "algorithm digest hashfunction", ours: "hash"},
	},
	"concurrency": {
		{keys: "max limit jobs total global parallel", ours: "default"},
		{keys: "tag caps limits bytag", ours: "tags"},
	},
	"output": {{keys: "style type format kind", ours: "mode"}},
	"execution": {
		{keys: "grace timeout killtimeout graceperiod stoptimeout", ours: "cancel_grace"},
		{keys: "concurrency jobs parallel", say: "it belongs to the top: concurrency: {default: 4}"},
	},
	"defaults": {
		{keys: "run", ours: "shell_type", say: "shell_type: bash"},
		{keys: "implicitinputs globalinputs globaldependencies", ours: "inputs", write: writeItems},
		{keys: "globalenv", ours: "env", write: writeEnv},
	},
	"project": append([]foreign{
		{keys: "dependson dependencies implicitdependencies needs requires workspacedependencies projectdependencies projectreferences references used using", ours: "uses", write: writeUses, say: "uses: [lib]"},
		{keys: "implicitinputs globaldependencies globalinputs", ours: "defaults", write: underDefaults("inputs", writeItems), say: `defaults: {inputs: ["/tsconfig.json"]}`},
		{keys: "taskoptions taskdefaults defaultoptions default targetdefaults", ours: "defaults"},
		{keys: "envmode strict", say: "it belongs under env: env: {strict: true}"},
		{keys: "project id package projectname", ours: "name"},
		{keys: "alias nickname shortname alternatename othernames", ours: "aliases", write: writeList},
		{keys: "tag labels label groups group keywords topics", ours: "tags", write: writeList},
	}, manyTasks...),
	"overlay": append([]foreign{
		{keys: "dependson dependencies implicitdependencies needs", say: `dependencies are between tasks: tasks: {build: {shell: "program", deps: ["lib:build"]}}`},
		{keys: "tag tags filter filters appliesto labels projects inheritedby", ours: "tagsFilter", write: writeList},
		{keys: "name id", say: "an overlay is named by its file"},
	}, manyTasks...),
	"task": {
		{keys: "dependson depends dependencies dependency depend needs require upstream prerequisites prereqs", ours: "deps", write: writeReferences},
		{keys: "weakdependencies softdeps softdependencies optionaldeps optionaldependencies orderonly orderonlydeps runafter mustrunafter shouldrunafter waitfor", ours: "weakDeps", write: writeReferences},
		{keys: "sources source srcs src files sourcefiles inputfiles environmentglob data watchfiles globaldependencies", ours: "inputs", write: writeList},
		{keys: "generates outs out outputfiles products artifact artifacts creates targets", ours: "outputs", write: writeOutputs},
		{keys: "outdir outputdir outputdirectory distdir builddir outputfolder", ours: "outputs", write: writeFolders},
		{keys: "excludes excluded excludepatterns ignore ignores ignored ignorefiles", ours: "exclude", write: writeList},
		{keys: "cmd exec argv entrypoint program", ours: "command", write: writeCommand},
		{keys: "run cmds commands script scripts steps sh bash recipe do body action", ours: "shell", write: writeScript,
			say: "put all of it into one script, each command on a line of its own: shell: |"},
		{keys: "executor uses plugin builder rule type handler preset", ours: "command", say: `a task is a program, or a script: command: ["program", "argument"]    or    shell: "script"`},
		{keys: "arguments argumentlist params", say: `arguments stand behind the program: command: ["program", "argument"]`},
		{keys: "interpreter executable shellname", ours: "shell_type", write: writeShellName},
		{keys: "shellopts shellflags shellargs shellarguments", ours: "shell_options", write: writeList},
		{keys: "environment envvars envvariables variables", ours: "env", write: writeEnv},
		{keys: "vars with", say: noVariables},
		{keys: "fromhost envfromhost", say: "it belongs under env: env: {from_host: [CC]}"},
		{keys: "override setenv", say: "it belongs under env: env: {override: {NAME: text}}"},
		{keys: "passthroughenv passthrough globalpassthroughenv envpassthrough passenv inheritenv pass secrets secret", ours: "env", write: writePass, say: "it belongs under env: env: {pass: [NAME]}"},
		{keys: "envmode strict", say: "it belongs under env: env: {strict: true}"},
		{keys: "globalenv", say: "each task says what it sees: env: {from_host: [NAME]}"},
		{keys: "dotenv dotenvs envfile envfiles", ours: "env", write: writeEnvFiles, say: `it belongs under env: env: {files: [.env, ".env.local?"]}`},
		{keys: "cwd dir workingdir workdir workingdirectory directory chdir root folder pwd", say: itsFolder},
		{keys: "tags tag labels groups", say: "tags belong to the project, not to its tasks"},
		{keys: "desc summary doc docs help info title label displayname", ours: "description"},
		{keys: "comment name metadata", say: ownComment},
		{keys: "hidden hide private unlisted", ours: "internal", write: writeFlag(true)},
		{keys: "persistent services continuous daemon background longrunning server readywhen healthcheck restart", say: asService},
		{keys: "stdin stdinopen stdio raw prompt prompts confirm askuser", ours: "interactive", write: writeFlag(true)},
		{keys: "pty terminal pseudoterminal allocatetty", ours: "tty", write: writeFlag(true)},
		{keys: "matrices matrixes variants combinations strategy", say: matrixHint},
		{keys: "interruptible", say: "every task can be interrupted; remove it"},
		{keys: "rundeepdeps", say: "what a dep depends on is run before it; remove it"},
		{keys: "umask", say: "all tasks have one: execution: {umask: 022} in .haz/workspace.yml"},
		{keys: "streams closure", ours: "deps", say: `it belongs to a dep: deps: [{task: "lib:gen", streams: true}]`},
		{keys: "cachekey", say: "what the key is made of is inputs, env and tools; remove it"},
		{keys: "usage positionals passargs acceptsargs", say: `words behind -- are arguments: haz run lib:build -- ARGUMENT; a script has them as "$@", or behind its text: args: append`},
		{keys: "silent quiet verbose outputlogs outputmode outputstyle logs log prefix logging ui", say: shownBy},
		{keys: "retries retrycount retrylimit maxretries rerun reruns", ours: "retry", write: writeTimes(0)},
		{keys: "attempts maxattempts tries maxtries flakyattempts", ours: "retry", write: writeTimes(-1)},
		{keys: "flaky retryonfailure", ours: "retry", say: "retry: 2"},
		{keys: "retrydelay retryinterval retrywait backoff", ours: "retry", say: "it belongs under retry: retry: {times: 2, delay: 1s}"},
		{keys: "timeoutminutes timeoutinminutes timeoutmins", ours: "timeout", write: writePeriod("m")},
		{keys: "timeoutseconds timeoutsecs timelimit timelimitseconds maxtime deadline", ours: "timeout", write: writePeriod("s")},
		{keys: "timeoutms timeoutmillis timeoutmilliseconds", ours: "timeout", write: writePeriod("ms")},
		{keys: "ignoreerror ignoreerrors continueonerror allowfailure canfail failfast", say: `in a script, a failure that does not matter: shell: "program || true"`},
		{keys: "platform platforms os runson", ours: "if", say: "if: {os: linux}"},
		{keys: "toolchain toolchains runner language runtime engine node", say: `the program itself is named: command: ["program", "argument"]; it is looked up in PATH`},
		{keys: "image container docker", say: `haz runs tasks on this machine; to run one in a container: command: [docker, run, --rm, image, program]`},
		{keys: "options configurations defaultconfiguration defaults", say: `arguments belong into command, and cache, mutex and env are keys of the task; a variant is a task of its own`},
		{keys: "alias aliases", say: `another name is another task: {command: ["true"], deps: ["~:build"]}`},
		{keys: "when condition conditions onlyif runif", ours: "if", say: "if: {os: linux}"},
		{keys: "unless only except rules shouldrun enabled disabled skip skipif", ours: "if", say: "if says when a task is carried out: if: {env: CI}"},
		{keys: "preconditions precondition requires", say: `a script can ask: shell: "test -e file || exit 1; program"`},
		{keys: "status method uptodate fingerprint checksum runpolicy", say: "haz compares the bytes of what stands in inputs; a task that runs each time has cache: false"},
		{keys: "cacheable cached usecache caching", ours: "cache", write: writeFlag(true)},
		{keys: "nocache skipcache always alwaysrun force phony uncached norun", ours: "cache", write: writeFlag(false)},
		{keys: "lock locks semaphore exclusive resourcegroup concurrencygroup serial", ours: "mutex", write: writeMutex, say: "mutex: name, the same for all tasks that exclude each other"},
		{keys: "parallel parallelism", say: "mutex: name, the same for all tasks that exclude each other"},
		{keys: "concurrency maxworkers weight priority resources pool cpus memory", say: "a cap belongs to projects with a tag: concurrency: {tags: {heavy: 1}} in .haz/workspace.yml"},
		{keys: "inherits inheriting mergewithbase", ours: "inherit", write: writeFlag(true)},
		{keys: "extends template base", say: "a task is completed by an overlay's task of its name: inherit: true; inside a file, anchors of YAML do it: test: {<<: *base}"},
		{keys: "namedinputs filegroups", say: namedSets},
		{keys: "externaldependencies binaries programs executables toolset", ours: "tools", write: writeList},
		{keys: "visibility public", say: "every task can be run by its name; remove it"},
		{keys: "clean", say: "what a task made is taken away before it runs again; incremental: true keeps it"},
		{keys: "watch watchpatterns watching", say: "haz watch runs a task again when its inputs change; remove it"},
		{keys: "set shopt", say: `write it into the script: shell: "set -u; program"`},
		{keys: "before beforescript pre setup afterscript post", say: inScript},
		{keys: "finally finalizer finalizers finalizedby finalized finalize dependspost defer deferred defers cleanup teardown onexit ensure", ours: "after", write: writeFinalizers, say: `after: ["~:cleanup"]: a task that runs when this one has ended, whatever its end`},
	},
	"dep": {
		{keys: "name target ref reference dependency", ours: "task", write: writeReference},
		{keys: "project projects", say: `the project stands before the task: {task: "lib:build"}`},
		{keys: "vars params args with env", say: "a dep is run as it is declared; a variant is a task of its own"},
		{keys: "dependencies transitive", say: "of a dep all that is behind it counts; closure: false leaves that out"},
		{keys: "optional required", say: "a task that need not be there has a ? behind its name"},
		{keys: "weak", say: "a task that may fail belongs to weakDeps"},
		{keys: "condition silent", say: remove},
	},
	"tool": {
		{keys: "program id bin binary tool path executable", ours: "name"},
		{keys: "cmd command run check args versioncommand", ours: "probe"},
		{keys: "version versions", say: "a probe asks for it: probe: [node, --version]"},
	},
	"mutex": {
		{keys: "id key lock group", ours: "name"},
		{keys: "type kind", ours: "mode"},
		{keys: "shared", say: "mode: shared"},
		{keys: "exclusive", say: "mode: exclusive"},
	},
	"if": {
		{keys: "platform platforms system runson", ours: "os"},
		{keys: "variable var envvar", ours: "env"},
		{keys: "file path fileexists", ours: "exists"},
	},
	"retry": {
		{keys: "max count limit retries number", ours: "times"},
		{keys: "attempts maxattempts tries", ours: "times", write: writeTimes(-1)},
		{keys: "when if causes failures exitcodes exitcode codes only", ours: "on", write: writeList},
		{keys: "interval wait pause sleep backoff", ours: "delay", write: writePeriod("s")},
		{keys: "multiplier backofffactor exponent growth", ours: "factor"},
	},
	"env": {
		{keys: "from host names fromenv hash hashed", ours: "from_host", write: writeList},
		{keys: "inherit inherits passthrough passthroughenv passenv keep allow allowlist unhashed", ours: "pass", write: writeList},
		{keys: "mode pure clean isolated hermetic", ours: "strict", say: "strict: true"},
		{keys: "file dotenv dotenvs envfile envfiles", ours: "files", write: writeList},
		{keys: "set vars values variables define overrides", ours: "override"},
	},
	"settings_env": {{keys: "fromhost pass override set vars values passthrough", say: seenByTask}, {keys: "mode pure clean isolated hermetic", ours: "strict", say: "strict: true"}},
}

// seenByTask answers variables where none are declared.
const seenByTask = "for all tasks, it belongs under defaults: defaults: {env: {from_host: [NAME], override: {NAME: text}}}"

// manyTasks are keys of files that declare tasks.
var manyTasks = []foreign{
	{keys: "task scripts targets pipeline jobs recipes commands rules", ours: "tasks", write: writeTasks},
	{keys: "services service", say: asService},
	{keys: "environment variables vars globalenv", say: `each task has its own: tasks: {build: {shell: "program", env: {override: {NAME: text}}}}`},
	{keys: "dotenv envfile", say: noDotenv},
	{keys: "passthroughenv globalpassthroughenv passenv passthrough", say: hiddenValue},
	{keys: "filegroups namedinputs filesets filelists sets", ours: "files", write: writeSets},
	{keys: "root sourceroot dir path cwd folder", say: "a project is the folder of its haz.yml; remove it"},
	{keys: "version", say: "a file of haz has no version; remove it"},
	{keys: "schema", say: schemaComment},
	{keys: "description desc title metadata owners", say: ownComment},
	{keys: "extends includes include import imports inherit templates", say: inAnOverlay},
	{keys: "silent output outputlogs outputstyle", say: shownBy},
	{keys: "type projecttype language layer stack platform toolchain toolchains workspace private license author main module", say: remove},
}

// foreignIndex finds a group by object and key.
var foreignIndex = sync.OnceValue(func() map[string]*foreign {
	index := map[string]*foreign{}
	for object, groups := range foreignKeys {
		for i := range groups {
			for key := range strings.FieldsSeq(groups[i].keys) {
				index[object+" "+key] = &groups[i]
			}
		}
	}
	return index
})

// ownIndex finds our own keys in another spelling: weak_deps, SHELL.
var ownIndex = sync.OnceValue(func() map[string]string {
	index := map[string]string{}
	for _, o := range []*Object{workspaceObject, cacheObject, cleanObject, concurrencyObject, outputObject, executionObject, projectObject,
		overlayObject, taskObject, defaultsObject, depObject, mutexObject, ifObject, retryObject, envObject, strictObject} {
		for _, f := range o.Fields {
			index[o.Name+" "+squeeze(f.Key)] = f.Key
		}
	}
	return index
})

// foreignHint is about a key that o does not have: the key of ours that is meant ("" for none), and what to write. Both are "" for a
// key that no tool has.
func foreignHint(o *Object, key string, v value) (meant, hint string) {
	squeezed := squeeze(key)
	if squeezed == "" {
		return "", ""
	}
	if own := ownIndex()[o.Name+" "+squeezed]; own != "" {
		return own, diag.DidYouMean(own)
	}
	f := foreignIndex()[o.Name+" "+squeezed]
	switch {
	case f == nil && o == defaultsObject:
		return foreignDefault(squeezed, v)
	case f == nil && o == workspaceObject:
		return "", ofDefaults(squeezed)
	case f == nil && (o == projectObject || o == overlayObject):
		return "", ofATask(squeezed)
	case f == nil && o == envObject:
		return "", v.variable(key)
	case f == nil:
		return "", ""
	}
	return f.answer(v)
}

// ForeignSays is what to do about a key of another tool that one of our maps ("workspace", "project", "task") has nothing like, as the
// errors about such keys say it; "" where they would name a key of ours, and for what no tool has.
func ForeignSays(object, key string) string {
	if f := foreignIndex()[object+" "+squeeze(key)]; f != nil {
		return f.say
	}
	return ""
}

// ofATask answers keys of tasks that stand a level too high.
func ofATask(squeezed string) string {
	key := ownIndex()["task "+squeezed]
	if f := foreignIndex()["task "+squeezed]; key == "" && f != nil {
		key = f.ours
	}
	if key == "" {
		return ""
	}
	return "it belongs to a task: tasks: {build: {" + taskObject.field(key).sketch() + "}}"
}

// ofDefaults answers keys of tasks in the workspace file, which has no tasks.
func ofDefaults(squeezed string) string {
	key := ownIndex()["defaults "+squeezed]
	if key == "" {
		return ""
	}
	return "for all tasks, it belongs under defaults: defaults: {" + taskObject.field(key).sketch() + "}"
}

// sketch is the key with dots in the place of its value.
func (f *Field) sketch() string {
	value := "..."
	switch f.Type.Kind {
	case ListOf:
		value = "[...]"
	case Map:
		value = "{...}"
	}
	return f.Key + ": " + value
}
