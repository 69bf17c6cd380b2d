package workspace

// shellOptions are what stands between the name of a shell and -c (haz::cfg::022). In the POSIX family -e ends a script at its first
// command that fails: otherwise the exit status of the last line alone would count, and a result of which half is missing
// would be kept. Shells of other families (pwsh, fish, nu) get none: what -e means there is not ours to say.
var shellOptions = map[string][]string{
	"sh": {"-e"}, "ash": {"-e"}, "bash": {"-e"}, "dash": {"-e"}, "ksh": {"-e"}, "ksh93": {"-e"}, "lksh": {"-e"}, "mksh": {"-e"}, "oksh": {"-e"},
	"pdksh": {"-e"}, "posh": {"-e"}, "rbash": {"-e"}, "yash": {"-e"}, "zsh": {"-e"},
	"busybox": {"sh", "-e"},
}

// ShellOptions are the arguments that the shell of the task gets before -c; none for a command. Do not change the result.
func (t *Task) ShellOptions() []string {
	if t.Kind != Shell {
		return nil
	}
	return shellOptions[t.Shell]
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
