package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/haz-build/haz/workspace"
)

// The limits of what is read of a record that anybody may have made. All that haz writes lies well within them.
const (
	maxPiece      = 1 << 20  // bytes of a text, or between two brackets, commas or colons
	maxDepth      = 32       // of brackets
	maxUnfinished = 16 << 20 // bytes of the names of tasks, and taskCost for each
	taskCost      = 32
)

var errTooMuch = errors.New("it is none that haz has written")

// ReadUnfinished lists the tasks that a record says did not succeed. It is read from end to end and nothing else of it is kept, so
// that memory does not grow with it. Unknown fields are left aside, another version is an error.
func ReadUnfinished(r io.Reader) (ids []workspace.TaskID, err error) {
	u := unfinished{dec: json.NewDecoder(&pieces{r: r})}
	u.object(func(field string) {
		switch field {
		case "version":
			u.version = u.text()
		case "tasks":
			u.array(u.task)
		default:
			u.skip()
		}
	})
	if u.err != nil {
		return nil, u.err
	}
	if u.version != "1" {
		return nil, fmt.Errorf("run summary has version %s, not 1", u.version)
	}
	return u.ids, nil
}

// unfinished reads a record. After an error it does nothing more.
type unfinished struct {
	dec     *json.Decoder
	version string
	ids     []workspace.TaskID
	size    int
	err     error
}

func (u *unfinished) task() {
	var id workspace.TaskID
	outcome, cause := "", ""
	u.object(func(field string) {
		switch field {
		case "project":
			id.Project = u.text()
		case "task":
			id.Task = u.text()
		case "outcome":
			outcome = u.text()
		case "cause":
			cause = u.text()
		default:
			u.skip()
		}
	})
	leftOut := outcome == "skipped" && cause == "" // by its condition, or not needed: any other skip has a cause
	if outcome == "succeeded" || leftOut || u.err != nil {
		return
	}
	if u.size += taskCost + len(id.Project) + len(id.Task); u.size > maxUnfinished {
		u.err = errTooMuch
		return
	}
	u.ids = append(u.ids, id)
}

func (u *unfinished) token() (t json.Token) {
	if u.err == nil {
		t, u.err = u.dec.Token()
	}
	return t
}

func (u *unfinished) expect(d json.Delim) {
	if t := u.token(); u.err == nil && t != d {
		u.err = errTooMuch
	}
}

// text is a text or a number, as it is spelled; "" where there is something else, which is left aside.
func (u *unfinished) text() string {
	switch t := u.token().(type) {
	case string:
		return t
	case float64:
		return fmt.Sprint(t)
	case json.Delim:
		u.rest(t)
	}
	return ""
}

// object calls value for each field; it has to read the field's value.
func (u *unfinished) object(value func(field string)) {
	u.expect('{')
	for u.err == nil && u.dec.More() {
		field, _ := u.token().(string)
		value(field)
	}
	u.expect('}')
}

// array calls item for each item; it has to read it. No list at all is an empty one.
func (u *unfinished) array(item func()) {
	switch t := u.token(); {
	case t == nil:
		return
	case t != json.Delim('['):
		u.err = cmp.Or(u.err, errTooMuch)
	}
	for u.err == nil && u.dec.More() {
		item()
	}
	u.expect(']')
}

// skip reads a value of any kind.
func (u *unfinished) skip() {
	if d, ok := u.token().(json.Delim); ok {
		u.rest(d)
	}
}

// rest reads what follows an opening bracket, up to the one that closes it.
func (u *unfinished) rest(d json.Delim) {
	for depth := 1; depth > 0 && u.err == nil && (d == '{' || d == '['); {
		switch u.token() {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// pieces hands JSON on as long as its texts are short and its brackets few: a decoder keeps as much as that in memory.
type pieces struct {
	r                io.Reader
	inside, escaped  bool // of a text
	length, brackets int
}

func (p *pieces) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	for _, c := range b[:n] {
		p.length++
		switch {
		case p.escaped:
			p.escaped = false
		case p.inside && c == '\\':
			p.escaped = true
		case c == '"':
			p.inside = !p.inside
		case p.inside:
		case c == '{', c == '[':
			p.brackets++
			p.length = 0
		case c == '}', c == ']':
			p.brackets--
			p.length = 0
		case c == ',', c == ':':
			p.length = 0
		}
		if p.length > maxPiece || p.brackets > maxDepth {
			return 0, errTooMuch
		}
	}
	return n, err
}
