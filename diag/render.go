package diag

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Style says how a text is drawn; the zero value is plain.
type Style struct {
	Bold, Red, Yellow, Cyan, Dim func(string) string
}

// Render draws the sorted list as chapter 3, section 11 shows it, with a last line that counts when there are several. Each
// line ends with a newline; an empty list is an empty text. With a style the bytes are the same plus what its functions add.
//
//	lib/haz.yml:8:14: want a list of strings, found a string (at `tasks.build.command`) [haz::cfg::021]
//	    8 |     command: "echo hi"
//	      |              ^^^^^^^^^
//	    hint: command: ["echo", "hi"]    or    shell: "echo hi"
func (l List) Render(s Style) string {
	r := renderer{style: s}
	sorted := l.Sorted()
	errors, warnings := 0, 0
	for _, d := range sorted {
		r.diagnostic(d)
		if d.Severity == Error {
			errors++
		} else {
			warnings++
		}
	}
	if len(sorted) > 1 {
		r.out.WriteString(s.paint(s.Bold, "haz: "+count(errors, warnings)) + "\n")
	}
	return r.out.String()
}

// count says "3 errors", "1 error, 2 warnings", "2 warnings".
func count(errors, warnings int) string {
	var parts []string
	for _, c := range []struct {
		n    int
		noun string
	}{{errors, "error"}, {warnings, "warning"}} {
		switch {
		case c.n == 1:
			parts = append(parts, "1 "+c.noun)
		case c.n > 1:
			parts = append(parts, strconv.Itoa(c.n)+" "+c.noun+"s")
		}
	}
	return strings.Join(parts, ", ")
}

const indent = "    "

type renderer struct {
	style Style
	out   strings.Builder
}

func (r *renderer) diagnostic(d Diagnostic) {
	r.headline(d)
	mark := r.style.Red
	if d.Severity == Warning {
		mark = r.style.Yellow
	}
	// One gutter for all snippets of a diagnostic, so that they read as one picture.
	gutter := numberWidth(d.Place.Line)
	for _, rel := range d.Related {
		gutter = max(gutter, numberWidth(rel.Place.Line))
	}
	r.snippet(d.Place, gutter, mark)
	for _, rel := range d.Related {
		r.line(indent + r.style.paint(r.style.Bold, place(rel.Place)+": ") + Escape(rel.Label))
		r.snippet(rel.Place, gutter, r.style.Cyan)
	}
	for i, cause := range d.Causes {
		if !slices.Contains(d.Causes[:i], cause) {
			r.line(indent + r.style.paint(r.style.Dim, "because: ") + Escape(cause))
		}
	}
	if d.Hint != "" {
		// A hint may show several lines of YAML; each stays inside the indentation.
		for i, text := range strings.Split(d.Hint, "\n") {
			lead := "hint: "
			if i > 0 {
				lead = "      "
			}
			r.line(strings.TrimRight(indent+r.style.paint(r.style.Cyan, lead)+Escape(text), " "))
		}
	}
}

func (r *renderer) headline(d Diagnostic) {
	s := r.style
	switch {
	case d.Place.File != "":
		r.out.WriteString(s.paint(s.Bold, place(d.Place)+": "))
	case d.Command != "":
		r.out.WriteString(s.paint(s.Bold, "haz: "+d.Command+": "))
	default:
		r.out.WriteString(s.paint(s.Bold, "haz: "))
	}
	if d.Severity == Warning {
		r.out.WriteString(s.paint(s.Yellow, "warning: "))
		r.out.WriteString(Escape(d.Message))
	} else {
		r.out.WriteString(s.paint(s.Red, Escape(d.Message)))
	}
	if d.KeyPath != "" {
		r.out.WriteString(" (at `" + Escape(d.KeyPath) + "`)")
	}
	if d.Code != "" {
		r.out.WriteString(s.paint(s.Dim, " ["+d.Code+"]"))
	}
	r.out.WriteByte('\n')
}

func (r *renderer) line(text string) {
	r.out.WriteString(text)
	r.out.WriteByte('\n')
}

// place is "file:line:column", or the file alone for a place that is the whole file.
func place(p Place) string {
	if p.Line == 0 {
		return Escape(p.File)
	}
	return fmt.Sprintf("%s:%d:%d", Escape(p.File), p.Line, max(p.Column, 1))
}

func numberWidth(n int) int { return len(strconv.Itoa(n)) }

// widthMax is how many columns of a source line are shown; a longer line is cut around the mark.
const widthMax = 160

// snippet draws the source line and the mark below it. A place without text (the end of a file) has none.
func (r *renderer) snippet(p Place, gutter int, mark func(string) string) {
	if p.Line == 0 || strings.TrimSpace(p.Source) == "" {
		return
	}
	start := min(max(p.Column-1, 0), len(p.Source))
	end := len(p.Source)
	if p.EndLine <= p.Line {
		end = min(max(p.EndColumn-1, start), len(p.Source))
	}
	text, pad, width := window(p.Source, start, end)
	lead := fmt.Sprintf("%s%*d | ", indent, gutter, p.Line)
	r.line(r.style.paint(r.style.Dim, lead) + text)
	lead = fmt.Sprintf("%s%*s | ", indent, gutter, "")
	r.line(r.style.paint(r.style.Dim, lead) + pad + r.style.paint(mark, strings.Repeat("^", max(width, 1))))
}

// window returns the part of the source line around bytes start to end as it is shown, the padding that leads to the mark on
// the next line, and the width of the mark in columns. Tabs stay tabs in both lines, so that they agree at any tab width.
func window(source string, start, end int) (text, pad string, width int) {
	const before, elided = 60, "…"
	from, lead := 0, ""
	if start > widthMax-before {
		from = start - before
		for from > 0 && !utf8.RuneStart(source[from]) {
			from--
		}
		lead = elided
	}
	var t, p strings.Builder
	t.WriteString(lead)
	p.WriteString(strings.Repeat(" ", utf8.RuneCountInString(lead)))
	shown := 0
	for i := from; i < len(source); {
		char, size := utf8.DecodeRuneInString(source[i:])
		piece, w := source[i:i+size], columns(char)
		if char != '\t' && (misleads(char) || char == utf8.RuneError && size == 1) {
			piece = Escape(piece)
			w = len(piece)
		}
		if shown+w > widthMax {
			t.WriteString(elided)
			break
		}
		shown += w
		t.WriteString(piece)
		switch {
		case i >= start && i < end:
			width += w
		case i < start && char == '\t':
			p.WriteByte('\t')
		case i < start:
			p.WriteString(strings.Repeat(" ", w))
		}
		i += size
	}
	return strings.TrimRight(t.String(), " \t"), p.String(), width
}

func (s Style) paint(f func(string) string, text string) string {
	if f == nil {
		return text
	}
	return f(text)
}
