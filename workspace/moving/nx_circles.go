package moving

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/workspace/infer"
)

// nxCircles are projects that use each other in a circle. In nx only tasks must not do so: files of what is used count once, and an edge
// that closes a circle is taken away by hand ("!name" among implicitDependencies). So each project of a circle is told by name whom its tasks
// wait for, and has the files of the others by tasks that stand for their own files alone.
type nxCircles struct {
	byDir  map[string]*nxProject
	uses   map[string][]string // by folder: what manifests, imports and implicitDependencies say
	groups circles
	waits  map[string][]string // within a circle: the uses that close none
}

// ownFilesOf begins the name of the task that stands for a set of files of one project, and of no other.
const ownFilesOf = "own-" + filesOf

// used are the projects that a project uses.
func (n *nx) used() *nxCircles {
	c := &nxCircles{byDir: map[string]*nxProject{}, uses: map[string][]string{}, waits: map[string][]string{}}
	var all []infer.Project
	for _, p := range n.projects {
		c.byDir[p.dir] = p
		all = append(all, infer.Project{Dir: p.dir})
	}
	for _, p := range n.projects {
		if p.pkg != nil {
			for _, u := range p.pkg.uses {
				if c.byDir[u.Dir] != nil {
					c.uses[p.dir] = append(c.uses[p.dir], u.Dir)
				}
			}
		}
		for _, q := range p.uses {
			c.uses[p.dir] = append(c.uses[p.dir], q.dir)
		}
		c.uses[p.dir] = unique(c.uses[p.dir])
	}
	c.groups = (&proposal{uses: c.uses}).circlesOf(all)
	next := func(dir string) []string { return c.waits[dir] }
	for _, p := range n.projects {
		for _, to := range c.uses[p.dir] {
			if slices.Contains(c.groups[p.dir], to) && !slices.Contains(p.without, c.byDir[to]) && !reaches(next, to, p.dir) {
				c.waits[p.dir] = append(c.waits[p.dir], to)
			}
		}
	}
	return c
}

// unwind tells the tasks of projects in a circle by name whom they wait for.
func (n *nx) unwind(byProject map[*nxProject]*project) {
	c := n.used()
	for _, p := range n.projects {
		group := c.groups[p.dir]
		if len(group) == 0 {
			continue
		}
		o := byProject[p]
		for _, t := range o.tasks {
			var deps []string
			for _, ref := range t.deps {
				name, up := strings.CutPrefix(ref, "^uses:")
				switch {
				case !up:
					deps = append(deps, ref)
				case strings.HasPrefix(name, filesOf):
					deps = append(deps, c.files(p.dir, name)...)
				default:
					deps = append(deps, c.wait(p.dir, name, byProject, map[string]bool{})...)
				}
			}
			t.deps = unique(deps)
		}
		for _, name := range sortedKeys(n.handed) {
			own := n.handing(p, name)
			own.name, own.deps = ownFilesOf+cleanName(name), nil
			own.comments = []string{"projects use each other in a circle: each depends on the files of the others"}
			o.tasks = append(o.tasks, own)
		}
	}
}

// files are the tasks that stand for the files which those of a circle, and what they use, have.
func (c *nxCircles) files(dir, name string) (refs []string) {
	group := c.groups[dir]
	for _, m := range group {
		if m != dir {
			refs = append(refs, c.byDir[m].ours+":own-"+name)
		}
		for _, u := range c.uses[m] {
			if !slices.Contains(group, u) && u != "/" {
				refs = append(refs, c.byDir[u].ours+":"+name)
			}
		}
	}
	slices.Sort(refs)
	return refs
}

// wait are the tasks of a name of what a project of a circle uses. A project without one is looked through.
func (c *nxCircles) wait(dir, name string, byProject map[*nxProject]*project, seen map[string]bool) (refs []string) {
	for _, to := range c.uses[dir] {
		inside := slices.Contains(c.groups[dir], to)
		if seen[to] || inside && !slices.Contains(c.waits[dir], to) {
			continue
		}
		seen[to] = true
		if slices.ContainsFunc(byProject[c.byDir[to]].tasks, func(t *task) bool { return t.name == name }) {
			refs = append(refs, c.byDir[to].ours+":"+name)
		} else {
			refs = append(refs, c.wait(to, name, byProject, seen)...)
		}
	}
	return refs
}

// excluded takes the projects out of what a project waits for that its implicitDependencies name with "!". What a manifest says of them stays,
// for the files, in a circle.
func (n *nx) excluded(p *nxProject, i item) {
	text := strings.TrimPrefix(i.text, "!")
	for _, q := range n.projects {
		if is, _ := path.Match(text, q.name); is {
			p.without = append(p.without, q)
		}
	}
}
