package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
)

// open loads the workspace of the current directory.
func (v *invocation) open(more ...haz.Option) (*haz.Workspace, error) {
	if err := v.placed(); err != nil {
		return nil, err
	}
	return haz.Open(v.ctx, v.dir, append(v.hostOptions(), more...)...)
}

// placed is the error where nobody knows in which directory the command stands.
func (v *invocation) placed() error {
	if v.dirErr != nil {
		return fmt.Errorf("the current directory cannot be found out: %w", v.dirErr)
	}
	return nil
}

// hostOptions is what the command line says about the host.
func (v *invocation) hostOptions() []haz.Option {
	opts := []haz.Option{haz.WithEnvironment(v.environ), haz.WithoutOtherChildren()}
	if v.has("trust-owner") {
		opts = append(opts, haz.WithTrustedOwner())
	}
	if dir := v.place("state-dir", "HAZ_STATE_DIR"); dir != "" {
		opts = append(opts, haz.WithStateDir(dir))
	}
	if dir := v.place("cache-dir", "HAZ_CACHE_DIR"); dir != "" {
		opts = append(opts, haz.WithCacheDir(dir))
	}
	return opts
}

// place is the directory that an option, or else a variable, names; "" for none. It is relative to where the command stands.
func (v *invocation) place(option, variable string) string {
	dir := v.value(option)
	if dir == "" {
		dir = v.env(variable)
	}
	if dir == "" || filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(v.dir, dir)
}

// tell writes to standard error at once.
func (v *invocation) tell(text string) { _, _ = v.errs.W.Write([]byte(text)) }

// warn shows warnings that do not end the command.
func (v *invocation) warn(list diag.List) {
	if len(list) > 0 {
		v.tell(list.Render(v.errs.Palette.Style()))
	}
}

// parseReferences reads words that name tasks; all that are no references are told at once.
func parseReferences(v *invocation, words []string, what string) ([]haz.Reference, error) {
	var refs []haz.Reference
	var bad diag.List
	var arguments []string
	for _, a := range words {
		r, err := haz.ParseReference(a)
		switch {
		case err == nil:
			refs = append(refs, r)
		case strings.HasPrefix(a, "-"):
			arguments = append(arguments, a)
		default:
			bad = append(bad, diag.Diagnostic{Message: what + ": " + diag.Quote(a) + ": " + err.Error(), Hint: v.meant(a, err)})
		}
	}
	if len(arguments) > 0 {
		d := diag.Diagnostic{Message: what + ": this is no task: " + strings.Join(arguments, " "), Hint: "write it into the task's command, or hand it over in a variable that the task reads: env: {from_host: [ARGS]}"}
		if c := v.line.command(); c != nil && c.passes {
			d.Hint = "arguments of a task stand behind it: haz " + pathName(v.line.path) + " TASK -- " + strings.Join(arguments, " ")
		}
		bad = append(bad, d)
	}
	if len(bad) > 0 {
		return nil, &diag.Errors{List: append(bad, v.unresolved(refs, what)...)}
	}
	return refs, nil
}

// unresolved tells which references select nothing, beside words that are none: lib/build could be a name, and lib#build could not. The workspace
// is read for it, and left alone when that does not work.
func (v *invocation) unresolved(refs []haz.Reference, what string) (bad diag.List) {
	if len(refs) == 0 {
		return nil
	}
	w, err := v.open()
	if err != nil {
		return nil
	}
	defer w.Close()
	for _, r := range refs {
		if _, err := w.Resolve(r); err != nil {
			bad = append(bad, diag.Diagnostic{Message: what + ": " + diag.Quote(r.String()) + ": " + err.Error(), Hint: v.asCommand(w.Hint(r.String(), err))})
		}
	}
	return bad
}

// checkRevision refuses what git could read as an option (EXEC-029).
func checkRevision(text string) error {
	switch {
	case text == "":
		return &hinted{text: "the revision is empty"}
	case text[0] == '-':
		return &hinted{text: "revision " + diag.Quote(text) + " begins with -"}
	case strings.ContainsAny(text, "\x00\n"):
		return &hinted{text: "revision " + diag.Quote(text) + " holds a control character"}
	}
	return nil
}

func readDuration(text string) (time.Duration, error) {
	d, err := haz.ParseDuration(text)
	if err != nil {
		err = fmt.Errorf("bad duration %s: %w", diag.Quote(text), err)
	}
	return d, err
}

func readSize(text string) (int64, error) {
	n, err := haz.ParseSize(text)
	if err != nil {
		err = fmt.Errorf("bad size %s: %w", diag.Quote(text), err)
	}
	return n, err
}
