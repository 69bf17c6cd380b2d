package key

import (
	"context"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// A task that is found up to date leaves behind what it was judged by (package standing), so that the next run need not derive its key. A key is made of
// inputs, of what upstreams contribute, and of all else. The inputs follow from what is asked of the disk and from what the disk says: that is looked at again,
// thing by thing. The rest is brought together as for a key, and a digest of it is compared.

// askedKind is the kind of the text whose digest Asked is.
const askedKind = "asked"

// Asked is the digest of all that a key is made of but inputs and upstreams, and of what is asked of the disk for the inputs: at is what the key was
// derived from. A component that a key gets some day is in it as well.
func (d *Deriver) Asked(t *workspace.Task, at *Derived) digest.Digest {
	c := d.components(t, at)
	c.inputs, c.upstreams = nil, nil
	w := text.Writer{B: make([]byte, 0, 1024)}
	w.Head(askedKind, chapterRevision, c.hash)
	c.write(&w)
	for i := range t.Inputs {
		in := &t.Inputs[i]
		writeAsked(&w, wordInput, in)
		if in.Lock != nil {
			w.Word(wordLock)
		}
	}
	for i := range t.Exclude {
		writeAsked(&w, wordExclude, &t.Exclude[i])
	}
	for i := range t.EnvFiles {
		writeAsked(&w, wordEnv, &t.EnvFiles[i].PatternDecl)
		w.Word(choose(t.EnvFiles[i].Optional, wordAbsent, wordFile))
	}
	return w.Sum(c.hash)
}

const (
	wordExclude = "exclude"
	wordQuiet   = "quiet"
	wordNot     = "not"
)

// writeAsked writes a pattern with all that what it selects hangs on.
func writeAsked(w *text.Writer, word string, decl *workspace.PatternDecl) {
	write := func(word string, p pattern.Pattern) {
		kind, text := kindOf(p)
		w.Line(word)
		w.Word(kind)
		w.Str(text)
	}
	write(word, decl.Pattern)
	if decl.Quiet {
		w.Word(wordQuiet)
	}
	for _, x := range decl.Pattern.Exceptions() {
		write(wordNot, x)
	}
}

// AskAgain is Asked for a task of which no key was derived: programs, lock files and files of variables are looked at. isInput reports whether a file of the
// workspace is an input of it. The error says that a key could not be derived either, or is ctx.Err().
func (d *Deriver) AskAgain(ctx context.Context, t *workspace.Task, isInput func(path string) bool) (digest.Digest, error) {
	at := &Derived{}
	var err error
	if len(t.EnvFiles) > 0 {
		if err = d.ReadFiles(t); err != nil {
			return digest.Digest{}, err
		}
	}
	if at.Locks, err = d.locks(ctx, t); err != nil {
		return digest.Digest{}, err
	}
	if at.Tools, err = d.toolsBeside(ctx, t, isInput); err != nil {
		return digest.Digest{}, err
	}
	return d.Asked(t, at), ctx.Err()
}

// Contributed is the digest of what upstreams contribute, all of it: also what does not count in the key, but in that of a task further down.
func (d *Deriver) Contributed(ups []Upstream) digest.Digest {
	w := text.Writer{B: make([]byte, 0, 256)}
	w.Head(wordUpstream, chapterRevision, d.o.Hash)
	for _, u := range Sorted(ups) {
		u.writeRecord(&w)
	}
	return w.Sum(d.o.Hash)
}

// FoundAgain reports whether what a walk has found is what at has, to the stat.
func FoundAgain(matches []tree.Match, at *Derived) bool {
	was := at.Inputs
	for i := range matches {
		now, ok := newInput(&matches[i])
		switch {
		case !ok:
			continue
		case len(was) == 0 || was[0].Path != now.Path || was[0].Kind != now.Kind || was[0].LinkText != now.LinkText || was[0].Target != now.Target ||
			!was[0].Info.Same(now.Info) || !was[0].TargetInfo.Same(now.TargetInfo):
			return false
		}
		was = was[1:]
	}
	return len(was) == 0
}
