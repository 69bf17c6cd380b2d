package workspace

import "slices"

// A shellFamily is what haz knows of a shell (haz::cfg::022).
type shellFamily struct {
	first   []string // what stands before all options: the applet
	options []string // the usual ones
}

// shells are those of the POSIX family. -e ends a script at its first command that fails: otherwise the exit status of the last line
// alone would count, and a result of which half is missing would be kept. pipefail says the same of the commands of a pipe; it goes
// to shells of which every version in use has it, since one that does not know an option runs nothing. Shells of other families (pwsh,
// fish, nu) get none: what -e means there is not ours to say.
var shells = func() map[string]shellFamily {
	ends, pipes := []string{"-e"}, []string{"-e", "-o", "pipefail"}
	all := map[string]shellFamily{"busybox": {[]string{"sh"}, pipes}}
	for _, name := range []string{"sh", "ash", "dash", "lksh", "oksh", "pdksh", "posh", "yash"} {
		all[name] = shellFamily{options: ends}
	}
	for _, name := range []string{"bash", "ksh", "ksh93", "mksh", "rbash", "zsh"} {
		all[name] = shellFamily{options: pipes}
	}
	return all
}()

// Posix reports whether the task has a script for a shell of the POSIX family.
func (t *Task) Posix() bool {
	_, posix := shells[t.Shell]
	return t.Kind == Shell && posix
}

// ShellOptions are the arguments that the shell of the task gets before -c: those that the task says, or the usual ones of its shell;
// none for a command. Do not change the result.
func (t *Task) ShellOptions() []string {
	if t.Kind != Shell {
		return nil
	}
	family := shells[t.Shell]
	options := family.options
	if t.OwnOptions != nil {
		options = t.OwnOptions
	}
	if len(family.first) == 0 {
		return options
	}
	return slices.Concat(family.first, options)
}

// CommandLine is what is executed: argv as written, or `<shell_type> <options> -c <script>`.
func (t *Task) CommandLine() []string {
	if t.Kind != Shell {
		return t.Argv
	}
	options := t.ShellOptions()
	line := make([]string, 0, len(options)+3)
	line = append(append(line, t.Shell), options...)
	return append(line, "-c", t.Script)
}
