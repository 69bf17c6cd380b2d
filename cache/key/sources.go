package key

import "github.com/haz-build/haz/workspace"

// Sources are the inputs of the key that output patterns of t match as well (a formatter's). Entries do not hold them, because
// a hit implies that they are there, but who reads what the task leaves behind reads them too.
func (at *Derived) Sources(t *workspace.Task) []Input {
	if len(at.Inputs) == 0 || !t.ReadsItself() {
		return nil
	}
	var list []Input
	for i := range at.Inputs {
		if t.Writes(at.Inputs[i].Path) {
			list = append(list, at.Inputs[i])
		}
	}
	return list
}
