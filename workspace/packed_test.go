package workspace

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/haz-build/haz/packed"
	"github.com/haz-build/haz/pattern"
)

// filler gives each field of the model something, also of a field that is new tomorrow.
type filler struct {
	rng   *rand.Rand
	depth int
	every bool // nothing is left empty
}

func (f *filler) any(n int) bool { return f.every || f.rng.IntN(n) > 0 }

func (f *filler) pattern() pattern.Pattern {
	texts := []string{"a", "d/", "src/**/*.c", "/x/{a,b}/?", "gen*/", "/", "**", `\*x[a-c]`}
	p, err := pattern.ParseEntry("/")
	if text := texts[f.rng.IntN(len(texts))]; text != "/" {
		p, err = pattern.Parse(text)
	}
	if err != nil {
		panic(err)
	}
	p = p.Anchor("/some/[dir]")
	switch f.rng.IntN(4) {
	case 0:
		return p.Except([]pattern.Pattern{pattern.Folders([]string{"/p", "/q"}), p})
	case 1:
		return pattern.Listed("/some", []string{"/some/nested"})
	}
	return p
}

// fill fills a value. What stands for the place of a task in its workspace is left to the caller.
func (f *filler) fill(v reflect.Value) {
	f.depth++
	defer func() { f.depth-- }()
	if v.Type() == reflect.TypeFor[pattern.Pattern]() {
		v.Set(reflect.ValueOf(f.pattern()))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("text ", f.rng.IntN(50)))
	case reflect.Bool:
		v.SetBool(f.any(2))
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(f.rng.Int64N(1<<31) - 1<<30)
	case reflect.Uint8:
		v.SetUint(f.rng.Uint64N(256))
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(f.rng.Uint64N(1 << 32))
	case reflect.Float64:
		v.SetFloat(f.rng.NormFloat64())
	case reflect.Struct:
		f.fields(v)
	case reflect.Slice:
		if f.depth < 9 && f.any(3) {
			v.Set(reflect.MakeSlice(v.Type(), f.rng.IntN(2)+min(1, f.rng.IntN(8)), 3))
			v.Set(v.Slice3(0, v.Len(), v.Len()))
			for i := range v.Len() {
				f.fill(v.Index(i))
			}
		}
	case reflect.Map:
		if f.any(3) {
			v.Set(reflect.MakeMap(v.Type()))
			for range f.rng.IntN(3) {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				f.fill(key)
				f.fill(value)
				if value.Kind() == reflect.Bool {
					value.SetBool(true) // it is a set
				}
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Pointer:
		if f.depth < 9 && f.any(2) {
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem())
		}
	case reflect.Func: // has no packed form
	default:
		panic("a field of kind " + v.Kind().String() + ", which no packing is known for")
	}
}

// left are the fields that the caller fills, and those that have no packed form or are made on first use.
var left = map[string]bool{"Workspace.Projects": true, "Workspace.Tasks": true, "Workspace.Overlays": true, "Workspace.Aliases": true, "Workspace.Partial": true, "Workspace.index": true,
	"Project.Tasks": true, "Project.Defaults": true, "Task.Project": true, "Task.Index": true, "Overlay.Attached": true, "Alias.Project": true}

func (f *filler) fields(v reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if left[v.Type().Name()+"."+field.Name] {
			continue
		}
		at := v.Field(i)
		if !field.IsExported() {
			at = reflect.NewAt(at.Type(), at.Addr().UnsafePointer()).Elem()
		}
		f.fill(at)
	}
}

// workspace is a random one that could have been loaded, as far as packing looks at that.
func (f *filler) workspace() *Workspace {
	w := &Workspace{Projects: []*Project{}, Tasks: []*Task{}}
	f.fill(reflect.ValueOf(w).Elem())
	for range f.rng.IntN(4) {
		p := &Project{}
		f.fill(reflect.ValueOf(p).Elem())
		w.Projects = append(w.Projects, p)
		if f.rng.IntN(4) == 0 {
			continue
		}
		p.Tasks = []*Task{}
		for range f.rng.IntN(4) {
			t := &Task{Project: p, Index: len(w.Tasks)}
			f.fill(reflect.ValueOf(t).Elem())
			p.Tasks, w.Tasks = append(p.Tasks, t), append(w.Tasks, t)
		}
		if f.rng.IntN(2) == 0 {
			p.Defaults = &Task{Project: p}
			f.fill(reflect.ValueOf(p.Defaults).Elem())
		}
	}
	for _, p := range w.Projects {
		w.Aliases = append(w.Aliases, Alias{Name: "alias", Project: p})
		o := &Overlay{Attached: []*Project{p}}
		f.fill(reflect.ValueOf(o).Elem())
		w.Overlays = append(w.Overlays, o)
	}
	return w
}

func repacked(t testing.TB, w *Workspace) *Workspace {
	t.Helper()
	c := packed.Write()
	if w.Pack(c); c.Failed() {
		t.Fatal("it has no packed form")
	}
	back, r := &Workspace{}, packed.Read(string(c.Bytes()))
	if back.Pack(r); !r.Ended() {
		t.Fatal("what was packed is not read")
	}
	return back
}

// Whatever a workspace holds is there again, field by field; reflect.DeepEqual sees those that nobody else does.
func TestPackHasEveryField(t *testing.T) {
	for seed := range uint64(300) {
		f := &filler{rng: rand.New(rand.NewPCG(seed, 1)), every: seed%10 == 0}
		w := f.workspace()
		if back := repacked(t, w); !reflect.DeepEqual(w, back) {
			t.Fatalf("seed %d: another workspace came back:\n%+v\n%+v", seed, w, back)
		}
	}
}

// What tasks share they share again, so that a workspace that came back takes no more memory and asks lock files no more often.
func TestPackShares(t *testing.T) {
	lock, argv := &Lock{File: "/lock"}, []string{"cc", "x.c"}
	p := &Project{Name: "p", Dir: "/"}
	decls := []PatternDecl{{Text: "$lock", Lock: lock}}
	for i := range 3 {
		p.Tasks = append(p.Tasks, &Task{Project: p, Index: i, Argv: argv, Inputs: decls, EnvNames: NewEnvNames(slices.Repeat([]string{"A"}, 20), nil)})
	}
	p.Tasks[2].EnvNames = p.Tasks[1].EnvNames
	back := repacked(t, &Workspace{Projects: []*Project{p}, Tasks: slices.Clone(p.Tasks)})
	one, two, three := back.Tasks[0], back.Tasks[1], back.Tasks[2]
	if &one.Argv[0] != &two.Argv[0] || &one.Inputs[0] != &two.Inputs[0] || one.Inputs[0].Lock == nil || two.EnvNames != three.EnvNames || one.EnvNames == two.EnvNames {
		t.Error("what was one is several")
	}
	if back.Projects[0].Tasks[1] != two || two.Project != back.Projects[0] {
		t.Error("projects and tasks do not lead to each other")
	}
}

// What is no whole workspace is not packed.
func TestPackRefuses(t *testing.T) {
	p, q := &Project{}, &Project{}
	for name, w := range map[string]*Workspace{
		"a part is missing":         {Partial: Partial{Tags: true}},
		"tasks of a part":           {Partial: Partial{Tasks: map[*Project]bool{}}},
		"a function":                {Inferred: &Inferred{Sources: []Sources{{LeftOut: func(string) bool { return false }}}}},
		"a task of no project":      {Tasks: []*Task{{}}},
		"a task of another project": {Projects: []*Project{{Tasks: []*Task{}}}, Tasks: []*Task{{Project: q}}},
		"a task at another position": func() *Workspace {
			one := &Task{Project: p, Index: 3}
			p.Tasks = []*Task{one}
			return &Workspace{Projects: []*Project{p}, Tasks: p.Tasks}
		}(),
		"an alias of nobody": {Aliases: []Alias{{Name: "a", Project: q}}},
	} {
		c := packed.Write()
		if w.Pack(c); !c.Failed() {
			t.Errorf("%s: it is packed", name)
		}
	}
}

// Whatever the bytes are, nothing panics; and what is read from them is packed into the same again, or is not believed.
func FuzzPack(f *testing.F) {
	for seed := range uint64(20) {
		c := packed.Write()
		(&filler{rng: rand.New(rand.NewPCG(seed, 2))}).workspace().Pack(c)
		f.Add(c.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w, c := &Workspace{}, packed.Read(string(data))
		if w.Pack(c); !c.Ended() {
			return
		}
		if back := repacked(t, w); !reflect.DeepEqual(w, back) {
			t.Errorf("another workspace came back:\n%+v\n%+v", w, back)
		}
	})
}
