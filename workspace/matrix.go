package workspace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
)

// A matrix makes several tasks of one body, its cells (haz::cfg::092): test[node=22], test[node=24]. The name without brackets is the
// family; a reference to it means all its cells (REF-009).

// CellsMax is how many cells a matrix may have, and CellValueMax how many bytes a value.
const (
	CellsMax     = 256
	CellValueMax = 64
)

// CellValue is one value of a cell: node=22.
type CellValue struct{ Key, Value string }

// CellSuffix is what stands behind the family's name, the keys sorted: [node=22,os=linux].
func CellSuffix(values []CellValue) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = v.Key + "=" + v.Value
	}
	slices.Sort(parts)
	return "[" + strings.Join(parts, ",") + "]"
}

// CellVariable is the name of the variable that holds a value: HAZ_MATRIX_NODE.
func CellVariable(key string) string { return "HAZ_MATRIX_" + strings.ToUpper(key) }

// Family is the name that the task's body has: of a cell, without brackets.
func (id TaskID) Family() string {
	family, _, _ := strings.Cut(id.Task, "[")
	return family
}

// CheckTaskName checks the name of a task, or of a cell: name[key=value,key=value]. The error is *NameError.
func CheckTaskName(s string) error {
	family, values, isCell := strings.Cut(s, "[")
	if err := CheckFamilyName(family); err != nil || !isCell {
		return err
	}
	at := len(family)
	inside, closed := strings.CutSuffix(values, "]")
	if !closed {
		return &NameError{Rule: "REF-009", Offset: at, Length: len(s) - at, Reason: `the "[" of the cell is not closed`}
	}
	at++
	for part := range strings.SplitSeq(inside, ",") {
		key, value, ok := strings.Cut(part, "=")
		var err error
		if !ok {
			err = fmt.Errorf("a cell is named by key=value, and %s is none", diag.QuoteShort(part))
		} else if err = CheckEnvName(key); err == nil {
			err = CheckCellValue(value)
		}
		if err != nil {
			return &NameError{Rule: "REF-009", Offset: at, Length: max(1, len(part)), Reason: err.Error()}
		}
		at += len(part) + 1
	}
	return nil
}

// CanonicalTaskName is the name that a task has which is called so: of a cell, its keys sorted. The name has passed CheckTaskName.
func CanonicalTaskName(s string) string {
	family, values, isCell := strings.Cut(s, "[")
	if !isCell {
		return s
	}
	parts := strings.Split(strings.TrimSuffix(values, "]"), ",")
	if slices.ContainsFunc(parts, func(part string) bool { key, _, _ := strings.Cut(part, "="); return IsWild(key) }) {
		return s // QRY-010: where it stands among sorted keys is for the wildcard to say
	}
	slices.Sort(parts)
	return family + "[" + strings.Join(parts, ",") + "]"
}

// CheckCellValue checks a value of a matrix: 1 to 64 bytes of A-Z a-z 0-9 _ - . + @ /. The error is *NameError.
func CheckCellValue(s string) error {
	if s == "" || len(s) > CellValueMax {
		return &NameError{Rule: "haz::cfg::092", Reason: fmt.Sprintf("a value of a matrix has 1 to %d bytes, and this one has %d", CellValueMax, len(s))}
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isLetter(c) && !isDigit(c) && strings.IndexByte("_-.+@/", c) < 0 {
			return badCharacter(s, i, "a value of a matrix has only the characters A-Z a-z 0-9 _ - . + @ /", "haz::cfg::092")
		}
	}
	return nil
}

// named are the tasks of a project that a name means: one, or all cells of a family.
func (p *Project) named(name string) []*Task {
	if t := p.task(name); t != nil {
		return []*Task{t}
	}
	first, _ := slices.BinarySearchFunc(p.Tasks, name+"[", func(t *Task, n string) int { return strings.Compare(t.ID.Task, n) })
	end := first
	for end < len(p.Tasks) && strings.HasPrefix(p.Tasks[end].ID.Task, name+"[") {
		end++
	}
	return p.Tasks[first:end:end]
}
