package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
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
	opts := []haz.Option{haz.WithEnvironment(v.environ)}
	if v.has("trust-owner") {
		opts = append(opts, haz.WithTrustedOwner())
	}
	return opts
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
	for _, a := range v.refs() {
		r, err := haz.ParseReference(a)
		if err != nil {
			bad = append(bad, diag.Diagnostic{Message: what + ": " + diag.Quote(a) + ": " + err.Error(), Hint: hintOf(err)})
			continue
		}
		refs = append(refs, r)
	}
	if len(bad) > 0 {
		return nil, &diag.Errors{List: bad}
	}
	return refs, nil
}

// replaceFile makes data the content of a file: a reader finds the old one or the new one, whole. What is no regular file (a
// pipe, a terminal) is written to.
func replaceFile(name string, data []byte) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(name, data, 0o666)
	}
	temp, f, err := createSibling(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp, name)
	}
	if err != nil {
		_ = os.Remove(temp)
	}
	return err
}

func createSibling(name string) (string, *os.File, error) {
	for i := 0; ; i++ {
		temp := filepath.Join(filepath.Dir(name), fmt.Sprintf(".%.100s.%d-%d.tmp", filepath.Base(name), os.Getpid(), i))
		f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil || !errors.Is(err, fs.ErrExist) || i > 100 {
			return temp, f, err
		}
	}
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

func checkDuration(text string) error {
	if _, err := haz.ParseDuration(text); err != nil {
		return fmt.Errorf("bad duration %s: %w", diag.Quote(text), err)
	}
	return nil
}

func checkSize(text string) error {
	if _, err := haz.ParseSize(text); err != nil {
		return fmt.Errorf("bad size %s: %w", diag.Quote(text), err)
	}
	return nil
}

func checkEdges(text string) error {
	_, err := parseEdges(text)
	return err
}
