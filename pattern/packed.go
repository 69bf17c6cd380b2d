package pattern

import (
	"strings"

	"github.com/haz-build/haz/packed"
)

// A Packing codes patterns, so that none is parsed again: of all globs that end alike one is compiled. Patterns that were one are one
// again, and so are lists of exceptions, by which an Index tells them apart. It serves one Coder.
type Packing struct {
	patterns packed.Pointers[pattern]
	excepts  packed.Slices[Pattern]
	listed   packed.Pointers[listed]
	folders  packed.Pointers[folders]
	texts    packed.Strings
	programs map[string]*pattern // those read, by what they are compiled from
}

// Code is a pattern.
func (k *Packing) Code(c *packed.Coder, p *Pattern) {
	k.patterns.Code(c, &p.p, func(p *pattern) { k.code(c, p) })
}

// everythingText stands for the program everything, which no text is compiled to.
const everythingText = "/"

func (k *Packing) code(c *packed.Coder, p *pattern) {
	c.String(&p.text)
	c.Bool(&p.absolute)
	c.Bool(&p.folder)
	c.String(&p.path)
	of := ""
	switch {
	case p.glob == everything:
		of = everythingText
	case p.glob != nil:
		of = p.glob.of
	}
	if c.String(&of); c.Reading() {
		k.compiled(c, p, of)
	}
	k.excepts.Code(c, &p.except, 1, func(x *Pattern) { k.Code(c, x) })
	k.listed.Code(c, &p.listed, func(l *listed) {
		if k.texts.Code(c, &l.below); c.Reading() {
			l.nested = setOf(l.below)
		}
	})
	k.folders.Code(c, &p.folders, func(f *folders) {
		if k.texts.Code(c, &f.sorted); c.Reading() {
			f.at = setOf(f.sorted)
		}
	})
	if !strings.HasPrefix(p.path, "/") || p.path != "/" && strings.HasSuffix(p.path, "/") || p.text == "" {
		c.Fail()
	}
}

// compiled gives a pattern the program that a text is compiled to; none for "".
func (k *Packing) compiled(c *packed.Coder, p *pattern, of string) {
	switch of {
	case "":
		return
	case everythingText:
		p.glob = everything
		return
	}
	known := k.programs[of]
	if known == nil {
		if known = compiledFrom(of); known == nil || !isGlob(p.text) {
			c.Fail()
			return
		}
		if k.programs == nil {
			k.programs = map[string]*pattern{}
		}
		k.programs[of] = known
	}
	p.glob, p.walk = known.glob, known.walk
}

// compiledFrom is the end of a glob, as a pattern of its own; nil for what no glob ends with. Behind a folder that is spelled with a backslash
// it may be plain text, which is a glob only when something in it is spelled so as well.
func compiledFrom(of string) *pattern {
	text := of
	if !isGlob(of) {
		text = `\` + of
	}
	p, err := parse(text, true)
	if err != nil || p.glob == nil || p.path != "/" {
		return nil
	}
	if p.glob.of = of; p.walk != nil {
		p.walk.of = p.walk.of[len(text)-len(of):]
	}
	return p
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}
