package outputs

import (
	"fmt"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
)

// judgement is what a match is taken for (S-22).
type judgement uint8

const (
	isWritten   judgement = iota + 1 // new or changed during the run
	isCarried                        // made by this task in an earlier run, and kept for it
	isEdited                         // an input that was changed during the run, by the task or by somebody else
	isInput                          // in the key, with these bytes: a hit implies that it is there
	isBystander                      // nobody knows who made it, or another task did
)

// thing is a match, and its bytes' digest once somebody asked.
type thing struct {
	*tree.Match
	info     fsys.Info // as it was digested
	digest   digest.Digest
	digested bool
}

// take judges one match and notes what follows.
func (c *collector) take(m *tree.Match) error {
	if !isOutput(m) {
		return nil
	}
	if m.BadName != "" {
		c.oddName.add(fmt.Sprintf("the name of %q cannot be that of an output: %s", m.Path, m.BadName)) // S-20
		return nil
	}
	if c.Defines != nil && c.Defines(m.Path) {
		if !c.Before.unchanged(m.Path, m.Info) {
			c.definition.add(m.Path + " says what the tasks are, and changed while the task ran")
		}
		return nil
	}
	t := &thing{Match: m, info: m.Info}
	written := !c.Before.unchanged(t.Path, t.Match.Info)
	j, maker, err := c.judge(t, written)
	if err == nil && j <= isEdited {
		err = c.digest(t)
	}
	if err != nil {
		return c.digestFailed(t, err)
	}
	if written {
		c.out.Wrote = append(c.out.Wrote, m.Path)
	}
	if m.Info.Kind == fsys.Link {
		c.links = append(c.links, m)
	}
	if j == isInput || j == isEdited {
		c.out.Sources = append(c.out.Sources, t.source())
	}
	switch j {
	case isBystander:
		c.bystanders.add(c.text(m.Pattern), m.Path, maker, c.literals[m.Path])
		return nil
	case isInput:
		return nil
	case isEdited:
		c.edited.add(m.Path + " is an input too, and changed while the task ran")
	case isWritten:
		if c.isSource(m.Path) && !c.literals[m.Path] {
			c.sources.add(c.text(m.Pattern), m.Path)
		}
	}
	c.bits(m.Path, t.info)
	o := entry.Output{Path: m.Path, Mode: t.info.Perm & 0o777} // S-21
	p := state.Produced{Path: m.Path, Info: t.info, Found: written && c.Before.has(m.Path) && !c.lists(m.Path)}
	switch m.Info.Kind {
	case fsys.Dir:
		o.Kind = entry.Dir // S-19
	case fsys.Link:
		o.Kind, o.Mode, o.Target, p.LinkText = entry.Link, 0, m.LinkText, m.LinkText // S-18
	default:
		o.Kind, o.Size, o.Digest = entry.File, t.info.Size, t.digest
		p.Digest, p.HasDigest = t.digest, t.digested
	}
	c.out.Outputs = append(c.out.Outputs, o)
	if j != isEdited {
		c.out.Produced = append(c.out.Produced, p)
	}
	return nil
}

// source is the match as a source of the task.
func (t *thing) source() entry.Output {
	kind := entry.File
	switch t.Match.Info.Kind {
	case fsys.Link:
		kind = entry.Link
	case fsys.Dir:
		kind = entry.Dir
	}
	return entry.Source(t.Path, kind, t.info.Perm&0o100 != 0, t.digest, t.LinkText)
}

// judge is the table of S-22: the first row that fits decides. maker is the other task that made it, "" when none is known.
//
// What is an input too is looked at first: it is a source, that people edit. Who changed one while the task ran cannot be
// told, so that it must not be taken for what the task made of it.
func (c *collector) judge(t *thing, written bool) (j judgement, maker string, err error) {
	is, same, err := c.inKey(t)
	switch {
	case err != nil:
		return isInput, "", err
	case same:
		return isInput, "", nil
	case is && written:
		return isEdited, "", nil
	case written:
		return isWritten, "", nil
	}
	if ours, err := c.listed(t); ours || err != nil {
		return isCarried, "", err
	}
	if c.MadeBy != nil {
		maker = c.MadeBy(t.Path)
	}
	return isBystander, maker, nil
}

// lists reports whether the product list of this task lists path, whatever lies there.
func (c *collector) lists(path string) bool {
	p, ok := c.Products.Find(path)
	return ok && !p.Found
}

// isSource reports whether the input patterns of the task match path.
func (c *collector) isSource(path string) bool { return c.Source != nil && c.Source(path) }

// listed reports whether the product list of this task lists the match as it is now: with this digest, or, where none is kept,
// with this stat (8.2).
func (c *collector) listed(t *thing) (bool, error) {
	p, ok := c.Products.Find(t.Path)
	if !ok || p.Found || p.Info.Kind != t.Match.Info.Kind {
		return false, nil
	}
	switch t.Match.Info.Kind {
	case fsys.Link:
		return p.LinkText == t.LinkText, nil
	case fsys.File:
		if !p.HasDigest || c.PresenceOnly {
			return p.Info.Same(t.Match.Info), nil
		}
		err := c.digest(t)
		return err == nil && t.digest == p.Digest, err
	}
	return true, nil
}

// inKey reports whether the match is an input of this task, and whether it is as the key has it: its bytes, and whether they
// may be executed.
func (c *collector) inKey(t *thing) (is, same bool, err error) {
	if c.Input == nil {
		return false, false, nil
	}
	info, d, ok := c.Input(t.Path)
	now := t.Match.Info
	switch {
	case !ok:
		return false, false, nil
	case info.Kind != now.Kind:
		return true, false, nil
	case now.Kind != fsys.File || c.PresenceOnly:
		return true, info.Same(now), nil
	case (info.Perm^now.Perm)&0o100 != 0 || info.Size != now.Size:
		return true, false, nil
	}
	err = c.digest(t)
	return true, err == nil && t.digest == d, err
}

// digest reads the bytes of a file, once.
func (c *collector) digest(t *thing) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	if t.Match.Info.Kind != fsys.File || t.digested || c.PresenceOnly {
		return nil
	}
	read, err := c.at.Digest(c.ctx, t.Path, t.Match.Info)
	if err != nil {
		return err
	}
	d, now := read.Digest, read.Info
	if !now.Same(t.Match.Info) {
		c.unsteady.add(fmt.Sprintf("%s changed while the outputs were collected", t.Path))
	}
	t.digest, t.info, t.digested = d, now, true
	return nil
}

// digestFailed says what it means that a match could not be digested. A file that is gone by now was no literal's, or is
// missing.
func (c *collector) digestFailed(t *thing, err error) error {
	switch {
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	case !fsys.LeadsNowhere(err):
		return c.unreadable(t.Path, err)
	case c.literals[t.Path]:
		return c.absent(t.Path, true)
	}
	c.unsteady.add(fmt.Sprintf("%s vanished while the outputs were collected", t.Path))
	return nil
}
