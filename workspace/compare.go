package workspace

import (
	"reflect"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
)

// SameDefinition reports whether two tasks, of one workspace at two times, are declared alike: everything that a file can say
// of a task, but for what is for people alone, and not where it says so: a body that moved to an overlay is the same. What references select
// is not looked at.
//
// It compares by reflection, so that a key of the files that is new tomorrow counts without anybody thinking of it here.
func SameDefinition(a, b *Task) bool {
	if a.ID != b.ID || a.Project.Dir != b.Project.Dir {
		return false
	}
	return alike(reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem())
}

var (
	typePlace   = reflect.TypeFor[diag.Place]()
	typeProject = reflect.TypeFor[*Project]()
	typePattern = reflect.TypeFor[pattern.Pattern]()
)

// stands are the fields that say where something stands, beside places, what others say as well, or what people read.
var stands = map[reflect.Type]map[string]bool{
	reflect.TypeFor[Task]():        {"Index": true, "Overlay": true, "Description": true, "Internal": true, "Completed": true, "Inherits": true, "Origins": true, "EnvNames": true},
	reflect.TypeFor[PatternDecl](): {"Shared": true, "Lock": true}, // what a project reaches is compared by itself
}

// alike is deep equality without places.
func alike(a, b reflect.Value) bool {
	switch a.Type() {
	case typePlace, typeProject:
		return true
	case typePattern:
		return pattern.Same(a.Interface().(pattern.Pattern), b.Interface().(pattern.Pattern))
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if stands[a.Type()][a.Type().Field(i).Name] {
				continue
			}
			if !alike(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !alike(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for it := a.MapRange(); it.Next(); {
			other := b.MapIndex(it.Key())
			if !other.IsValid() || !alike(it.Value(), other) {
				return false
			}
		}
		return true
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return alike(a.Elem(), b.Elem())
	default:
		return a.Equal(b)
	}
}
