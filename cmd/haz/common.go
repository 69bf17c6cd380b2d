package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// open loads the workspace of the current directory.
func (v *invocation) open() (*haz.Workspace, error) {
	if v.dirErr != nil {
		return nil, fmt.Errorf("the current directory cannot be found out: %w", v.dirErr)
	}
	return haz.Open(v.ctx, v.dir, v.hostOptions()...)
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

// parseReferences reads the positional arguments; all that are no references are told at once.
func parseReferences(v *invocation, what string) ([]haz.Reference, error) {
	var refs []haz.Reference
	var bad diag.List
	var arguments []string
	for _, a := range v.refs() {
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
		bad = append(bad, diag.Diagnostic{Message: what + ": tasks take no arguments, and this is no task: " + strings.Join(arguments, " "),
			Hint: "write it into the task's command, or hand it over in a variable that the task reads: env: {from_host: [ARGS]}"})
	}
	if len(bad) > 0 {
		return nil, &diag.Errors{List: bad}
	}
	return refs, nil
}

// meant is a hint for a word that is no reference. The workspace is read for it, and left alone when that does not work.
func (v *invocation) meant(word string, err error) string {
	if word == "" {
		return "an empty word is what a query without a match leaves: haz query --fail-empty ends with an error then"
	}
	if w, err := v.open(); err == nil {
		defer w.Close()
		if hint := v.meantIn(w, word); hint != "" {
			return hint
		}
	}
	var r *workspace.ReferenceError
	if errors.As(err, &r) {
		return r.Hint
	}
	return hintOf(err)
}

// meantIn is what w takes a word for, in the words of the command.
func (v *invocation) meantIn(w *haz.Workspace, word string) string {
	hint := w.Meant(word)
	if pathName(v.line.path) == "why" {
		hint = strings.NewReplacer("to run a task of it", "to ask about a task of it", "haz run ", "haz why ").Replace(hint)
	}
	return hint
}

// isTask adds to the error about a word in the place of a command that `haz run` would find such a task, or what it would say of the
// word. The workspace is read for it, and left alone when that does not work.
func (v *invocation) isTask(err error) error {
	l := v.line
	var usage *usageError
	if !errors.As(err, &usage) || v.stand(l.given["directory"]) != nil || v.dirErr != nil {
		return err
	}
	ws, failed := haz.Open(v.ctx, v.dir, haz.WithEnvironment(v.environ))
	if failed != nil {
		return err
	}
	defer ws.Close()
	resolves := func(text string) bool {
		r, err := haz.ParseReference(text)
		if err == nil {
			_, err = ws.W.Resolve(r, ws.Bearing())
		}
		return err == nil
	}
	if resolves(l.unknown) {
		usage.d.Hint = "that is a task: haz run " + l.unknown
		if len(l.rest) == 1 && resolves(l.rest[0]+":"+l.unknown) { // build lib
			usage.d.Hint = "that is a task: haz run " + l.rest[0] + ":" + l.unknown
		}
	} else if usage.d.Hint == noCommand {
		usage.d.Hint = cmp.Or(ws.Meant(l.unknown), noCommand)
	}
	return err
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
