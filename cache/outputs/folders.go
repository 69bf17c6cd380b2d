package outputs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
)

// enterGit says whether what is called ".git" at path is an output: it is when the task made it, now or, by its product list,
// earlier. That of the user stays out.
func (c *collector) enterGit(path string, now fsys.Info) bool {
	if c.Products.Below(path) {
		return true
	}
	switch c.Before.gitState(path, now) {
	case gitNew:
		return true
	case gitChanged:
		c.git.add(fmt.Sprintf("%s was there before and changed while the task ran", path))
	}
	return false
}

// specials notes what no entry can hold.
func (c *collector) specials(list []tree.Match) {
	for i := range list {
		if !c.literals[list[i].Path] {
			c.special.add(fmt.Sprintf("%s is a FIFO, socket or device", list[i].Path))
		}
	}
}

// bits notes a thing with set-id or sticky bits (S-21): no entry holds them, so that none can make a program of another user,
// and a hit would leave the thing without. Of a link they mean nothing; a folder that is in one with the set-group-ID bit has it by itself.
func (c *collector) bits(path string, info fsys.Info) {
	odd := info.Perm & 0o7000
	if odd == 0 || info.Kind == fsys.Link {
		return
	}
	if info.Kind == fsys.Dir && odd == 0o2000 {
		if up, err := c.fs.Lstat(pattern.Parent(path)); err == nil && up.Perm&0o2000 != 0 {
			return
		}
	}
	c.setBits.add(fmt.Sprintf("%s has set-id or sticky bits (mode %o), which no entry of the cache holds", path, info.Perm))
}

// folders takes the directories that a hit would not leave by itself: those whose mode the task has chosen, and a fixed
// prefix that has no output in it. All others come with what lies in them. They are nobody's claim: tasks share folders.
func (c *collector) folders(list []tree.Folder) {
	if c.PresenceOnly {
		return
	}
	leaves := len(c.out.Outputs) // sorted, and they stay in front
	for _, f := range list {
		if pattern.CheckPath(f.Path) != nil {
			continue
		}
		made := c.made(&f)
		if made {
			c.bits(f.Path, f.Info)
		}
		odd := f.Info.Perm&0o777 != c.DirMode
		if manifest.HoldsOutputs(c.out.Outputs[:leaves], f.Path) {
			if !made || !odd {
				continue
			}
		} else if !f.Prefix || !made && !f.Empty {
			continue
		}
		c.out.Outputs = append(c.out.Outputs, entry.Output{Path: f.Path, Kind: entry.Dir, Mode: f.Info.Perm & 0o777})
		c.out.Produced = append(c.out.Produced, state.Produced{Path: f.Path, Info: f.Info})
	}
	if len(c.out.Outputs) > leaves {
		slices.SortFunc(c.out.Outputs, func(a, b entry.Output) int { return strings.Compare(a.Path, b.Path) })
		slices.SortFunc(c.out.Produced, func(a, b state.Produced) int { return strings.Compare(a.Path, b.Path) })
	}
}

// made reports whether the task made the directory, or gave it its mode.
func (c *collector) made(f *tree.Folder) bool {
	was := c.Before.folder(f.Path)
	if was == nil || was.Perm != f.Info.Perm {
		return true
	}
	p, ok := c.Products.Find(f.Path)
	return ok && p.Info.Kind == fsys.Dir && p.Info.Perm == f.Info.Perm
}

// checkLinks looks for links through which the task has written: of what they lead to the entry holds nothing, unless that
// is an output itself. So a hit would leave the link, and what another run wrote behind it.
func (c *collector) checkLinks() {
	if c.PresenceOnly {
		return
	}
	for _, m := range c.links {
		if m.Target.Kind != fsys.File && m.Target.Kind != fsys.Dir || !c.wroteTarget(m) {
			continue
		}
		to, err := c.fs.RealPath(m.Path)
		switch {
		case err != nil && m.Target.Kind == fsys.Dir:
			continue // folders outside of the workspace change all the time
		case err != nil:
			to = m.LinkText
		case c.isOutput(to) || c.isInput(to) || pattern.IsOrBelow(to, layout.Dir):
			continue
		}
		c.through.add(fmt.Sprintf("%s leads to %s, which changed while the task ran and is no output", m.Path, to))
	}
}

// wroteTarget reports whether what the link leads to may have been written while the task ran.
func (c *collector) wroteTarget(m *tree.Match) bool {
	if was := c.Before.find(m.Path); was != nil && was.info.Kind == fsys.Link && was.target.Kind != fsys.Unknown &&
		was.target.Inode == m.Target.Inode && was.target.Dev == m.Target.Dev {
		return !was.target.Same(m.Target)
	}
	// The link did not lead there before, so only the time tells. One that is as old as the snapshot may be of before.
	return c.Before == nil || m.Target.CTime >= c.Before.at
}

// isOutput reports whether path, which leads through no link, or something below it is an output.
func (c *collector) isOutput(path string) bool {
	outs := c.out.Outputs
	_, is := slices.BinarySearchFunc(outs, path, func(o entry.Output, p string) int { return strings.Compare(o.Path, p) })
	return is || manifest.HoldsOutputs(outs, path)
}

func (c *collector) isInput(path string) bool {
	if c.Input == nil {
		return false
	}
	_, _, ok := c.Input(path)
	return ok
}
