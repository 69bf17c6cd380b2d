package key

import (
	"context"
	"errors"
	"slices"

	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/cache/tools"
	"github.com/haz-build/haz/workspace"
)

// tools are the programs that t starts (CACHE-035), but for those that the key has in another way: an input, what an upstream made.
func (d *Deriver) tools(ctx context.Context, t *workspace.Task, at *Derived) ([]tools.Tool, error) {
	return d.toolsBeside(ctx, t, func(name string) bool {
		in, ok := at.find(name)
		return ok && in.hasContent()
	})
}

// toolsBeside are the programs that t starts, but for those that are inputs or what an upstream made.
func (d *Deriver) toolsBeside(ctx context.Context, t *workspace.Task, isInput func(name string) bool) ([]tools.Tool, error) {
	if d.o.Tools == nil {
		return nil, nil
	}
	list, err := d.o.Tools.Find(ctx, t, d.path(t))
	var unanswered *tools.ProbeError
	switch {
	case errors.As(err, &unanswered):
		return nil, &Error{Reason: err.Error(), Hint: unanswered.Hint, Err: err}
	case err != nil:
		return nil, err
	}
	otherwise := func(tool tools.Tool) bool {
		name := tool.Inside()
		if name == "" {
			return false
		}
		if isInput(name) {
			return true
		}
		return d.o.Made != nil && d.o.Made(t, name)
	}
	if !slices.ContainsFunc(list, otherwise) {
		return list, nil
	}
	return slices.DeleteFunc(slices.Clone(list), otherwise), nil
}

// ToolsMoved lists the programs of t that are no longer those of the key. program is where the one that haz starts was found now; "" where
// that is not known.
func (d *Deriver) ToolsMoved(ctx context.Context, t *workspace.Task, at *Derived) (program string, moved []string, err error) {
	now, err := d.tools(ctx, t, at)
	if err != nil {
		return "", nil, err
	}
	for _, lists := range [][2][]tools.Tool{{at.Tools, now}, {now, at.Tools}} {
		for i := range lists[0] {
			tool := &lists[0][i]
			if !slices.ContainsFunc(lists[1], func(o tools.Tool) bool { return tool.Same(&o) }) && !slices.Contains(moved, tool.Name) {
				moved = append(moved, tool.Name)
			}
		}
	}
	return programOf(t, now), moved, nil
}

// programOf is where the program that haz starts for a task was found, if these tools tell: elsewhere than in the workspace, and by its bytes.
func programOf(t *workspace.Task, list []tools.Tool) (file string) {
	for name, i := t.CommandLine()[0], 0; i < len(list); i++ {
		switch tool := &list[i]; {
		case tool.Name != name:
		case file != "" || tool.How != tools.Bytes || tool.Inside() != "":
			return ""
		default:
			file = tool.File
		}
	}
	return file
}

// Forget says that something ran: programs may be others by now.
func (d *Deriver) Forget() {
	if d.o.Tools != nil {
		d.o.Tools.Forget()
	}
}

const (
	wordTool       = "tool"
	wordUnreadable = "unreadable"
	wordProbe      = "probe"
)

// writeTool writes one item of the tools. A record has of a probe which program was asked, too.
func writeTool(w *text.Writer, t *tools.Tool, record bool) {
	w.Line(wordTool)
	w.Str(t.Name)
	switch t.How {
	case tools.Absent:
		w.Word(wordAbsent)
		return
	case tools.Unreadable:
		w.Word(wordUnreadable)
	case tools.Probed:
		w.Word(wordProbe)
	}
	w.Digest(t.Digest)
	if record && t.How == tools.Probed {
		w.Digest(t.Program)
	}
}

// ToolState says in a word what a key has of a tool: its digest, short, or "absent".
func ToolState(t *tools.Tool) string {
	switch t.How {
	case tools.Absent:
		return wordAbsent
	case tools.Unreadable:
		return wordUnreadable + " " + t.Digest.Short()
	case tools.Probed:
		return wordProbe + " " + t.Digest.Short()
	}
	return t.Digest.Short()
}

// toolState is what ToolState says, of a line: name, then "absent", or a word where it is not of bytes, and the digest.
func toolState(l line) string { return fields(l[:min(len(l), 3)], 1) }

// RecordedTool is a tool of the key that a record was made of.
func RecordedTool(record, secret []byte, name string) (t tools.Tool, ok bool) {
	r, ok := readRecord(record, secret, maxLines)
	if !ok {
		return t, false
	}
	for _, l := range r.lines[wordTool] {
		if l.at(0) == name && l.at(1) == wordProbe {
			t = tools.Tool{Name: name, How: tools.Probed}
			t.Digest, ok = parseDigest(l.at(2))
			t.Program, _ = parseDigest(l.at(3))
			return t, ok
		}
	}
	return t, false
}

// compareTools tells which programs are others. Where the action is another one, it is no wonder that it starts others.
func compareTools(ds *differences, was, now lines) {
	var all differences
	named(wordTool, 1, wording{alone: toolState, changed: func(was, now line) []change {
		if a, b := toolState(was), toolState(now); a != b {
			return []change{{"", a + " -> " + b}}
		}
		return nil
	}})(&all, was, now)
	same := true
	for _, word := range []string{wordCommand, wordShell, wordScript} {
		same = same && slices.EqualFunc(was[word], now[word], slices.Equal[line])
	}
	for _, d := range all {
		if same || d.Sign == '~' {
			*ds = append(*ds, d)
		}
	}
}
