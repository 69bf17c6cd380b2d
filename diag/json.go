package diag

import "encoding/json"

type jsonPlace struct {
	File      string `json:"file"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"end_line"`
	EndColumn int    `json:"end_column"`
}

type jsonRelated struct {
	jsonPlace
	Message string `json:"message"`
}

type jsonDiagnostic struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	jsonPlace
	Path    string        `json:"path"`
	Message string        `json:"message"`
	Hint    string        `json:"hint"`
	Related []jsonRelated `json:"related"`
	Causes  []string      `json:"causes,omitempty"`
}

func (p Place) json() jsonPlace {
	return jsonPlace{File: p.File, Line: p.Line, Column: p.Column, EndLine: p.EndLine, EndColumn: p.EndColumn}
}

// MarshalJSON writes the form of `haz check --format json`: severity, code, file, line, column, end_line, end_column, path
// (of keys), message, hint, related[] (places with a message) and, when there are any, causes[]. Numbers are 0 and texts
// empty where there is nothing to say. Columns count bytes from 1; the end is exclusive.
func (d Diagnostic) MarshalJSON() ([]byte, error) {
	j := jsonDiagnostic{
		Severity:  d.Severity.String(),
		Code:      d.Code,
		jsonPlace: d.Place.json(),
		Path:      d.KeyPath,
		Message:   d.Message,
		Hint:      d.Hint,
		Related:   []jsonRelated{},
		Causes:    d.Causes,
	}
	for _, r := range d.Related {
		j.Related = append(j.Related, jsonRelated{jsonPlace: r.Place.json(), Message: r.Label})
	}
	return json.Marshal(j)
}

// MarshalJSON writes the sorted list; an empty one is [].
func (l List) MarshalJSON() ([]byte, error) {
	sorted := l.Sorted()
	if len(sorted) == 0 {
		return []byte("[]"), nil
	}
	return json.Marshal([]Diagnostic(sorted))
}
