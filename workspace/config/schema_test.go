package config

import (
	"regexp"
	"testing"
)

// objects calls f for each object of the tables once.
func objects(f func(*Object)) {
	seen := map[*Object]bool{}
	var visit func(*Object)
	visit = func(o *Object) {
		if o == nil || seen[o] {
			return
		}
		seen[o] = true
		f(o)
		for _, field := range o.Fields {
			visit(field.Type.Object)
		}
	}
	for _, k := range []fileKind{workspaceKind, projectKind, overlayKind} {
		visit(k.object)
	}
}

// Every key of the tables has a place for its value of the right type, and says what it needs to say.
func TestTables(t *testing.T) {
	records := map[*Object]record{
		workspaceObject: &Workspace{}, projectObject: &Project{}, overlayObject: &Overlay{}, taskObject: &Body{}, defaultsObject: &Body{}, mutexObject: &Mutex{}, toolObject: &Tool{}, depObject: &Dep{}, retryObject: &Retry{}, ifObject: &If{}, serviceObject: &Service{}, readyObject: &Ready{}, httpObject: &readyHTTP{}, envObject: (*env)(&Body{}),
	}
	w := &Workspace{}
	for key, o := range map[string]*Object{"cache": cacheObject, "concurrency": concurrencyObject, "output": outputObject, "execution": executionObject} {
		records[o] = w.slot(key).(record)
	}
	records[stopObject] = records[serviceObject].slot("stop").(record)
	records[strictObject] = w.slot("env").(record)
	records[cleanObject] = records[cacheObject].slot("clean").(record)
	rule := regexp.MustCompile(`^haz::cfg::\d{3}$`)
	objects(func(o *Object) {
		rec := records[o]
		if rec == nil {
			t.Fatalf("object %s has no record", o.Name)
		}
		for _, f := range o.Fields {
			slot := rec.slot(f.Key)
			fits := false
			switch slot.(type) {
			case *Text, *Duration, *Size, *concurrency, *Int, *Factor, *Port:
				fits = f.Type.Kind == Scalar
			case *Bool:
				fits = f.Type.Kind == Flag
			case *List, *[]RetryCause:
				fits = f.Type.Kind == ListOf && f.Type.Format != PathPattern && f.Type.Format != SelectPattern && f.Type.Format != InputPattern && f.Type.Format != ProjectPattern && f.Type.Object == nil
			case *Deps, *Tools:
				fits = f.Type.Kind == ListOf && f.Type.Object != nil
			case *Patterns:
				fits = f.Type.Kind == ListOf && (f.Type.Format == PathPattern || f.Type.Format == SelectPattern || f.Type.Format == InputPattern || f.Type.Format == ProjectPattern)
			case *[]TagCap, *[]Pair, *[]Task, *[]Axis, *[]FileSet:
				fits = f.Type.Kind == Dict
			case *Mutex, *Retry:
				fits = f.Type.Kind == ScalarOrMap
			case *Infer:
				fits = f.Type.Kind == WordOrList && f.Type.Word != "" && f.Type.Allowed != nil
			case record:
				fits = f.Type.Kind == Map
			}
			if !fits {
				t.Errorf("%s.%s: kind %d goes into %T", o.Name, f.Key, f.Type.Kind, slot)
			}
			if !rule.MatchString(f.Rule) || f.Doc == "" || (f.Type.Kind == Map || f.Type.Kind == ScalarOrMap) && f.Type.Object == nil {
				t.Errorf("%s.%s: rule %q, doc %q", o.Name, f.Key, f.Rule, f.Doc)
			}
			if f.Type.Kind != Map && (f.Accepts == "" || !f.Required && f.Default == "" && f.Key != "command" && f.Key != "shell") {
				t.Errorf("%s.%s says not what it accepts, or its default", o.Name, f.Key)
			}
		}
		if rec.slot("nope") != nil {
			t.Errorf("object %s has a slot for any key", o.Name)
		}
	})
}
