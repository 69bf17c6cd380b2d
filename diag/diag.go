// Package diag holds what is said about mistakes of the user: place, sentence, hint; collected, totally ordered, printed once.
//
// A Diagnostic is a plain value. Whoever finds a mistake makes one and goes on; the List is sorted and drawn at the very end,
// so the order of finding (and with it the number of CPUs) never shows. The form is that of chapter 3, section 11.
//
// The total order and the idea of drawing places from stored spans follow evanw/esbuild's internal/logger.
package diag

import (
	"cmp"
	"slices"
)

// Severity of a diagnostic.
type Severity uint8

const (
	Error Severity = iota
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Place is a span in a file. Line and Column count from 1, columns in bytes; zero Line means the file as a whole, empty
// File means no place.
type Place struct {
	File               string // relative to the workspace root where inside it
	Line, Column       int
	EndLine, EndColumn int    // exclusive end
	Source             string // the text of line Line, without line ending
}

func (p Place) compare(o Place) int {
	return cmp.Or(
		cmp.Compare(p.File, o.File),
		cmp.Compare(p.Line, o.Line),
		cmp.Compare(p.Column, o.Column),
		cmp.Compare(p.EndLine, o.EndLine),
		cmp.Compare(p.EndColumn, o.EndColumn),
	)
}

// Related is a further place ("first occurrence here").
type Related struct {
	Place Place
	Label string
}

func (r Related) compare(o Related) int {
	return cmp.Or(r.Place.compare(o.Place), cmp.Compare(r.Label, o.Label))
}

// Diagnostic is one thing to say.
type Diagnostic struct {
	Severity Severity
	Code     string // "haz::cfg::021", "haz::cfg::yaml", "DAG-014"; once per diagnostic
	Place    Place
	KeyPath  string // "tasks.build.command"; printed as (at `…`)
	Message  string // one sentence, no final period
	Hint     string
	Related  []Related
	Causes   []string // "because: …" lines, outermost first
	// Command is the subcommand for diagnostics without a place ("run" in "haz: run: …").
	Command string
	// Project is the one in which a body that many projects share (an overlay's) was found wrong. Sorted tells such a mistake
	// once, however many projects have it.
	Project string
}

// compare is the total order: file, line, column and code first, as chapter 3 says; everything else that can be seen after
// them, so that two diagnostics are equal only when nobody could tell them apart.
func (d Diagnostic) compare(o Diagnostic) int {
	return cmp.Or(
		cmp.Compare(d.Place.File, o.Place.File),
		cmp.Compare(d.Place.Line, o.Place.Line),
		cmp.Compare(d.Place.Column, o.Place.Column),
		cmp.Compare(d.Code, o.Code),
		cmp.Compare(d.Severity, o.Severity),
		cmp.Compare(d.Message, o.Message),
		d.Place.compare(o.Place),
		cmp.Compare(d.KeyPath, o.KeyPath),
		cmp.Compare(d.Hint, o.Hint),
		slices.CompareFunc(d.Related, o.Related, Related.compare),
		slices.Compare(d.Causes, o.Causes),
		cmp.Compare(d.Command, o.Command),
		cmp.Compare(d.Project, o.Project),
	)
}

// List collects diagnostics. The zero value is empty.
type List []Diagnostic

// Sorted returns the list in total order (file, line, column, code, message), equal ones once, and once what differs in the
// project alone. The list itself stays as it is.
func (l List) Sorted() List {
	s := slices.Clone(l)
	slices.SortFunc(s, Diagnostic.compare)
	s = slices.CompactFunc(s, func(a, b Diagnostic) bool { return a.compare(b) == 0 })
	return s.together()
}

// HasErrors reports whether one of them is an error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Errors is a List as an error: what loading returns. Error() is the rendered text.
type Errors struct{ List List }

func (e *Errors) Error() string { return e.List.Render(Style{}) }

// Err returns the list as an error when one of its diagnostics is an error, and nil otherwise.
func (l List) Err() error {
	if !l.HasErrors() {
		return nil
	}
	return &Errors{List: l}
}
