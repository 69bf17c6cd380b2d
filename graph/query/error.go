package query

import (
	"fmt"

	"github.com/haz-build/haz/diag"
)

// An Error says what is wrong with an expression (QRY-002, QRY-003), and where.
type Error struct {
	Filter
	Rule   string // "QRY-002"
	Offset int    // of the place in the expression, in bytes from 0
	Reason string // without place and expression: "an atom is expected here"
	Hint   string
}

func (e *Error) Error() string {
	return fmt.Sprintf("--%s %s: at byte %d: %s", e.Option, diag.Quote(e.Expr), e.Offset, e.Reason)
}

// Diagnostic is the error as the command line shows it.
func (e *Error) Diagnostic() diag.Diagnostic {
	return diag.Diagnostic{Code: e.Rule, Message: e.Error(), Hint: e.Hint}
}
