package key

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/workspace"
)

// chapterRevision changes whenever the meaning of a component changes (CACHE-003). It is manifest.Revision.
const chapterRevision = 0x03

// The tag bytes of the components, in the order in which they are fed (5.2).
const (
	tagPlace     = 0x10
	tagAction    = 0x11
	tagOutputs   = 0x12
	tagInputs    = 0x13
	tagUpstreams = 0x14
	tagEnv       = 0x15
	tagClosure   = 0x16 // no component: opens what a closure digest is of

	tagIncremental = 0x17 // after the output patterns of a task that keeps what it made before; others lack it
)

const (
	actionCommand = 0x01
	actionShell   = 0x03 // 0x02 were scripts that went on after a command that failed
)

// components is all that a key is made of, in canonical order: the action made concrete (CACHE-001).
type components struct {
	hash      digest.Function
	place     Place
	dir       string // of the project; "" for the workspace root
	shell     bool
	argv      []string // of a shell action: the shell's name, its options, the script
	outputs   []outputPattern
	keeps     bool // incremental
	inputs    []Input
	upstreams []Upstream
	env       []variable
}

// outputPattern is one item of component 3.
type outputPattern struct {
	kind byte // 'L' or 'G'
	text string
}

// variable is one effective variable of the environment.
type variable struct {
	name    string
	present bool
	value   string // in a record: the salted digest of the value
	host    bool   // from the host, not an override; not in the key
}

// components brings together what the key of t is made of. Inputs and upstreams are used as they are: sorted.
func (d *Deriver) components(t *workspace.Task, inputs []Input, ups []Upstream) *components {
	c := &components{hash: d.o.Hash, place: d.o.Place, inputs: inputs, upstreams: ups, env: d.variables(t), keeps: t.Incremental}
	if t.Project != nil && t.Project.Dir != "/" {
		c.dir = t.Project.Dir
	}
	if t.Kind == workspace.Shell {
		c.shell, c.argv = true, append(append([]string{t.Shell}, t.ShellOptions()...), t.Script)
	} else {
		c.argv = t.Argv
	}
	c.outputs = make([]outputPattern, 0, len(t.Outputs))
	for i := range t.Outputs {
		p := t.Outputs[i].Pattern
		o := outputPattern{'G', p.String()}
		if p.IsLiteral() {
			o.kind = 'L'
		}
		c.outputs = append(c.outputs, o)
	}
	if len(c.outputs) > 1 {
		slices.SortFunc(c.outputs, compareOutputs)
		c.outputs = slices.Compact(c.outputs)
	}
	return c
}

func compareOutputs(a, b outputPattern) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), strings.Compare(a.text, b.text))
}

// sortedUpstreams returns ups by (project, task).
func sortedUpstreams(ups []Upstream) []Upstream {
	byTask := func(a, b Upstream) int { return a.Task.Compare(b.Task) }
	if slices.IsSortedFunc(ups, byTask) {
		return ups
	}
	ups = slices.Clone(ups)
	slices.SortStableFunc(ups, byTask)
	return ups
}

// appendKey appends the bytes that are digested to the key (CACHE-004).
func (c *components) appendKey(b []byte) []byte {
	b = append(b, chapterRevision, byte(c.hash))
	b = c.appendBody(b)
	b = append(b, tagUpstreams)
	b = appendCount(b, len(c.upstreams))
	for i := range c.upstreams {
		b = c.upstreams[i].append(b)
	}
	b = append(b, tagEnv)
	b = appendCount(b, len(c.env))
	for i := range c.env {
		v := &c.env[i]
		b = appendStr(b, v.name)
		if v.present {
			b = appendStr(append(b, 0x01), v.value)
		} else {
			b = append(b, 0x00)
		}
	}
	return b
}

// appendBody appends the components 1 to 4, which a record holds in the same form.
func (c *components) appendBody(b []byte) []byte {
	b = append(b, tagPlace)
	b = appendStr(b, c.place.OS)
	b = appendStr(b, c.place.Arch)
	b = binary.BigEndian.AppendUint32(b, c.place.Umask)
	b = appendStr(b, c.dir)

	b = append(b, tagAction)
	if c.shell {
		b = append(b, actionShell)
	} else {
		b = append(b, actionCommand)
	}
	b = appendCount(b, len(c.argv))
	for _, a := range c.argv {
		b = appendStr(b, a)
	}

	b = append(b, tagOutputs)
	b = appendCount(b, len(c.outputs))
	for _, o := range c.outputs {
		b = appendStr(append(b, o.kind), o.text)
	}
	if c.keeps {
		b = append(b, tagIncremental)
	}

	b = append(b, tagInputs)
	b = appendCount(b, len(c.inputs))
	for i := range c.inputs {
		b = c.inputs[i].append(b)
	}
	return b
}

// append appends one item of component 4.
func (in *Input) append(b []byte) []byte {
	b = appendStr(b, in.Path)
	b = append(b, byte(in.Kind))
	if in.Exec {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	switch in.Kind {
	case FileInput:
		b = append(b, in.Digest[:]...)
	case LinkInput:
		b = appendStr(b, in.LinkText)
		b = append(b, in.Target)
		if in.Target == TargetFile {
			b = append(b, in.Digest[:]...)
		}
	}
	return b
}

// size is about how many bytes appendKey appends; never much less.
func (c *components) size() int {
	n := 256 + 9*len(c.argv) + 9*len(c.outputs) + 64*len(c.inputs) + 160*len(c.upstreams) + 32*len(c.env)
	for _, a := range c.argv {
		n += len(a)
	}
	for _, o := range c.outputs {
		n += len(o.text)
	}
	for i := range c.inputs {
		n += len(c.inputs[i].Path) + len(c.inputs[i].LinkText)
	}
	for i := range c.env {
		n += len(c.env[i].name) + len(c.env[i].value)
	}
	return n
}

func appendStr(b []byte, s string) []byte {
	return append(appendCount(b, len(s)), s...)
}

func appendCount(b []byte, n int) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(n))
}
