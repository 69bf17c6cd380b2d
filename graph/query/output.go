package query

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/haz-build/haz/workspace"
)

// WritePlain writes one `project:task` a line (QRY-007); nothing for no task. The order is that of tasks.
func WritePlain(w io.Writer, tasks []*workspace.Task) error {
	var b bytes.Buffer
	for _, t := range tasks {
		b.WriteString(t.ID.Project)
		b.WriteByte(':')
		b.WriteString(t.ID.Task)
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

// WriteJSON writes an array on exactly one line (QRY-008): keys project, tags, task, in this order, without spaces.
func WriteJSON(w io.Writer, tasks []*workspace.Task) error {
	type element struct {
		Project string   `json:"project"`
		Tags    []string `json:"tags"`
		Task    string   `json:"task"`
	}
	list := make([]element, len(tasks))
	for i, t := range tasks {
		list[i] = element{t.ID.Project, t.Project.Tags, t.ID.Task}
		if list[i].Tags == nil {
			list[i].Tags = []string{}
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
