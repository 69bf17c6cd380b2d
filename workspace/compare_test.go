package workspace

import (
	"reflect"
	"testing"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
)

// Whatever a file can say of a task tells two of them apart, also what a later version adds; places do not.
func TestSameDefinition(t *testing.T) {
	fresh := func() *Task {
		p, err := pattern.Parse("/p/*.c")
		if err != nil {
			t.Fatal(err)
		}
		one := Task{ID: TaskID{"p", "t"}, Project: &Project{Name: "p", Dir: "/p"}, Mutex: &Mutex{}, Override: map[string]string{"A": "1"}}
		fill(reflect.ValueOf(&one).Elem(), p)
		return &one
	}
	base := fresh()
	if !SameDefinition(base, fresh()) {
		t.Fatal("a task differs from itself")
	}
	other := fresh()
	other.Index, other.Place = 7, diag.Place{File: "x", Line: 9}
	other.Inputs[0].Place, other.Inputs[0].Shared = diag.Place{Line: 3}, true
	other.Project = &Project{Name: "p", Dir: "/p", File: "elsewhere"}
	if !SameDefinition(base, other) {
		t.Error("places, positions and the project's own fields count")
	}
	moved := fresh()
	moved.Project = &Project{Name: "p", Dir: "/q"}
	if SameDefinition(base, moved) {
		t.Error("the directory does not count")
	}
	seen := 0
	for i := range reflect.TypeFor[Task]().NumField() {
		field := reflect.TypeFor[Task]().Field(i)
		if field.Name == "Index" || field.Name == "Project" || field.Type == typePlace {
			continue
		}
		changed := fresh()
		if field.Name == "EnvNames" {
			changed.EnvNames = &EnvNames{}
		} else if field.Name == "Origins" {
			changed.Origins = []*Origin{{Key: "timeout"}}
		} else if !disturb(reflect.ValueOf(changed).Elem().Field(i)) {
			t.Errorf("this test does not know how to change %s", field.Name)
			continue
		}
		seen++
		if place := stands[reflect.TypeFor[Task]()][field.Name]; SameDefinition(base, changed) != place {
			t.Errorf("%s: whether it counts is not %t", field.Name, !place)
		}
	}
	if seen < 12 {
		t.Errorf("only %d fields were tried", seen)
	}
	headers, err := pattern.Parse("/p/*.h")
	if err != nil {
		t.Fatal(err)
	}
	otherPattern := fresh()
	otherPattern.Inputs[0].Pattern = headers
	if SameDefinition(base, otherPattern) {
		t.Error("what a pattern is anchored at does not count")
	}
	// What $project leaves out is declared by others: projects nested in it, and outputs of its tasks.
	project := func(nested []string, made ...pattern.Pattern) *Task {
		one := fresh()
		one.Inputs[0].Pattern = pattern.Listed("/p", nested).WithExceptions(made)
		return one
	}
	if SameDefinition(project(nil), project([]string{"/p/q"})) || SameDefinition(project(nil), project(nil, headers)) || SameDefinition(project(nil), otherPattern) ||
		!SameDefinition(project([]string{"/p/q"}, headers), project([]string{"/p/q"}, headers)) {
		t.Error("what is taken from the files of a project does not count, or is never the same")
	}
}

// fill puts one item into each list.
func fill(v reflect.Value, p pattern.Pattern) {
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Type() == reflect.TypeFor[*Service]() {
			f.Set(reflect.ValueOf(&Service{}))
		}
		if f.Kind() != reflect.Slice {
			continue
		}
		item := reflect.New(f.Type().Elem()).Elem()
		if item.Kind() == reflect.Struct && item.NumField() > 0 {
			for j := range item.NumField() {
				if item.Field(j).Type() == typePattern {
					item.Field(j).Set(reflect.ValueOf(p))
				}
			}
		}
		f.Set(reflect.Append(f, item))
	}
}

// disturb changes a value, so that it differs from what it was.
func disturb(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	case reflect.Slice:
		if v.Len() == 0 {
			return false
		}
		return disturb(v.Index(0))
	case reflect.Map:
		v.SetMapIndex(reflect.ValueOf("A"), reflect.ValueOf("2"))
	case reflect.Pointer:
		return !v.IsNil() && disturb(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() && disturb(v.Field(i)) {
				return true
			}
		}
		return false
	default:
		return false
	}
	return true
}
