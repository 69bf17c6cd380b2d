package main

import (
	"strings"

	"github.com/haz-build/haz/cmd/haz/early"
)

// A topic is a page of help about something that is no command. text is paragraphs and indented lines, as they are printed.
type topic struct{ Name, Brief, text string }

func (t topic) Body() string { return strings.Trim(t.text, "\n") }

func (t topic) page() string { return t.Name + ": " + t.Brief + "\n\n" + t.Body() + "\n" }

func topicList() string {
	var rows []row
	for _, t := range topics {
		rows = append(rows, row{t.Name, t.Brief})
	}
	return "Topics (haz help TOPIC):\n" + columns(rows, early.HelpWidth)
}

var topics = []topic{
	{"refs", "how tasks are named", `
  lib:build       the task build of project lib
  ~:build         the task build of this directory's project
  ^:build         the task build of every project that has one
  ^~:build        the same without this directory's project
  [go]:build      the task build of every project tagged go
  [go]~:build     the same without this directory's project
  ^uses:build     the task build of every project that this directory's project
                  uses; one without that task is looked through
  build           on the command line only: ~:build inside a project, else ^:build

The first colon behind a project ends it: @acme/ui:build:prod is the task build:prod
of project @acme/ui. In the folder of a project, build:prod alone is its task of that
name, unless there is a project build.

Forms with ~, and ^uses:, need a directory that belongs to a project. A reference
that selects nothing is an error. Quote forms with [ ], ^ and * where your shell
gives them a meaning of its own.

On the command line * in a name stands for any characters, also for / and none:

  '*:test'        as ^:test
  '@acme/*:build' the task build of each project whose name begins with @acme/
  'lib:*'         the tasks of lib, but for internal ones
  'lib:test-*'    those whose names begin so; cells of a matrix by theirs, or by test
`},
	{"globs", "patterns of inputs, outputs and projects", `
  *         any characters within one segment of a path, hidden names too
  **        as a whole segment: any number of segments; at the end: everything below
  ?         one character
  [abc]     one character of the set; [a-z] a range; [!a] or [^a] none of the set
  {a,b}     one of the alternatives, which may hold / and wildcards
  \x        the character x itself

A path without / in front belongs to the project's directory, one with / in front
to the root of the workspace. An entry without any of * ? [ { \ names one file,
or a folder with all below it; dist/ says that it is a folder, and is an error
where it is none. With ! in front an entry of inputs or outputs takes away from
those before it. What ` + "`exclude`" + ` lists is taken away from what the globs of
` + "`inputs`" + ` select. No ignore file is consulted, but for $project.

$sources among ` + "`inputs`" + ` is the set of that name: ` + "`files`" + ` in haz.yml or in the
workspace file has lists of patterns by name. A file of such a name is \$sources.
$project is every file of the project that git tracks or would add, without what
its tasks make and without projects in it; where there is no git repository, all
but hidden folders and node_modules. $lock is what the project reaches in the lock
file that pins its packages, where a manifest makes it a project.
`},
	{"query", "the expressions of haz query", `
  a | b     one of both          lowest precedence
  a & b     both
  !a        not                  highest
  ( ... )   grouping

Atoms of --tags, --projects and --tasks are names; of a task with a matrix that of
one cell, test[node=22], or of all, test. Those of --inputs and --outputs
are path patterns (haz help globs): a task matches when one of its patterns can
match a path that the atom can match too; a relative atom belongs to this
directory's project. Those of --child-of, --parent-of, --depends-on and
--ancestor-of are name:TASK, project:NAME or tag:NAME. In a name * stands for any
characters: --projects '@acme/*'.

--filter has all that in one expression, for run, watch, graph and list, too. Its
atoms are name:TASK, project:NAME, tag:NAME, input:PATTERN, output:PATTERN,
has:deps, has:inputs, has:outputs, has:mutex, and these of an expression:
child-of(...), parent-of(...), depends-on(...), ancestor-of(...).

  haz run --filter 'name:test & tag:go & !depends-on(project:slow)'

It runs nothing when nothing matches. haz run $(haz query ...) is haz run then, and
that runs the task default.

A word with spaces, parentheses or one of | & ! can be quoted inside the
expression, with " or '. Write a negated class as [^a], because ! is an operator.

  haz query --tags 'go & !slow'
  haz query --depends-on 'project:lib | tag:base' --workspace
  haz query --inputs '/lib/**' --no-outputs
`},
	{"keys", "what decides whether a task runs again", `
A task's key is a digest of all that its result may depend on: operating system,
architecture, the umask of tasks, the project's directory; command or script; the
bytes of the programs that stand in it, wherever PATH finds them; output patterns;
paths and contents of its inputs, whether they are executable, and the text of
links; what the tasks in ` + "`deps`" + ` and all behind them made (of those that declare no
outputs, their keys), and not what they printed; the variables that ` + "`env`" + ` sets or
takes ` + "`from_host`" + `.

When the cache holds a result for the key, outputs and printed text come back from
there and nothing is executed. Not in the key are times, owners, libraries, programs
whose names a script puts together (list them as inputs), and variables that are
passed: those of ` + "`env: {pass: [NAME]}`" + `, and some by default (haz help env).

An input is read only when its size, times or inode are new, where these tell of every
write. They do not on tmpfs and other RAM disks, FUSE (sshfs, virtiofs), 9p, SMB and
FAT: there, all inputs are read in each run. So is a file that a process holds open for
writing, and in an overlay (the root of a container) one that is less than 5 minutes
old.

A key is a plain digest, so that equal work has equal keys on every machine. Who sees
the key of a task (the name of an entry, haz why, a summary) and has its workspace can
try values of a variable until one gives that key. A random token withstands this, a
PIN or a password does not: pass it, ` + "`env: {pass: [TOKEN]}`" + `, so that it is in no key.

  haz why TASK          shows the key and what went into it
  haz why TASK --diff   says what is different from the last run
  haz why TASK --key    prints the text whose digest the key is
  haz run -v            says of each task that runs why it was not in the cache
`},
	{"exit-codes", "what haz returns", `
    0   success; also when there was nothing to do
    1   haz run: a task failed, could not be carried out, or was cancelled alone
    2   the command line, a configuration file, git or haz itself is at fault
  129   a run was ended by SIGHUP
  130   a run was ended by SIGINT (Ctrl+C)
  131   haz was ended by SIGQUIT (Ctrl+\)
  143   a run was ended by SIGTERM

Ctrl+Z stops haz and its tasks, with all that they have started; ` + "`fg`" + ` and ` + "`bg`" + `
continue them.

Where a file system does not answer for ten seconds (a server is gone, a disk hangs),
haz says for which file it waits.
`},
	{"env", "environment variables that haz looks at", `
  PATH                    where git is found
  NO_COLOR                not empty: no colour
  CLICOLOR_FORCE, FORCE_COLOR
                          not empty and not 0: colour everywhere
  CLICOLOR=0, TERM=dumb   no colour
  COLORTERM               truecolor or 24bit: 24-bit colour
  LC_ALL, LC_CTYPE, LANG  whether the terminal speaks UTF-8
  CI                      set: no progress line
  GITHUB_ACTIONS=true     buffered output is folded task by task, workflow commands work
  TF_BUILD=True, TEAMCITY_VERSION
                          log commands of Azure Pipelines, service messages of TeamCity work
  GIT_INDEX_FILE          honoured by --git-staged in a hook
  HAZ_STATE_DIR           where cache and state lie: as --state-dir, which wins
  HAZ_CACHE_DIR           where the cache lies: as --cache-dir, which wins

Tasks see what they list in ` + "`env`" + ` and, unless it says strict: true, what passes by
default: PATH, HOME, USER, LOGNAME, SHELL, TMPDIR, TERM, LANG, LC_*, TZ, and the variables of
proxies and certificates (haz why names those that are set). Nothing of what passes
by default is in a key. No variable changes what a run does: that stands on its
command line and in its files.
`},
}
