// Package diag holds what is said about mistakes of the user: place, sentence, hint; collected, totally ordered, printed once.
package diag

// Severity of a diagnostic.
type Severity uint8

const (
	Error Severity = iota
	Warning
)

// Place is a span in a file. Line and Column count from 1, columns in bytes; zero Line means the file as a whole, empty
// File means no place.
type Place struct {
	File               string // relative to the workspace root where inside it
	Line, Column       int
	EndLine, EndColumn int    // exclusive end
	Source             string // the text of line Line, without line ending
}

// Related is a further place ("first occurrence here").
type Related struct {
	Place Place
	Label string
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
}

// List collects diagnostics. The zero value is empty.
type List []Diagnostic

// Sorted returns the list in total order (file, line, column, code, message), equal ones once.
func (l List) Sorted() List { panic("contract") }

// HasErrors reports whether one of them is an error.
func (l List) HasErrors() bool { panic("contract") }

// Quote quotes user text for a message: control characters, and those that hide or reorder text, are escaped.
func Quote(s string) string { panic("contract") }

// Nearest returns the one candidate within edit distance 2 and a third of the word's length, or "".
func Nearest(word string, candidates []string) string { panic("contract") }

// Style says how a text is drawn; the zero value is plain.
type Style struct {
	Bold, Red, Yellow, Cyan, Dim func(string) string
}

// Render draws the sorted list as chapter 3, section 11 shows it, with a last line that counts when there are several.
func (l List) Render(s Style) string { panic("contract") }

// Errors is a List as an error: what loading returns. Error() is the rendered text.
type Errors struct{ List List }

func (e *Errors) Error() string { panic("contract") }
