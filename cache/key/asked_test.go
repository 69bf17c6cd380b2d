package key

import (
	"context"
	"reflect"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/workspace"
)

// standsOn is what a record has of an action in place of a key, inputs aside.
func (a *action) standsOn() [2]digest.Digest {
	d := a.deriver()
	return [2]digest.Digest{d.Asked(&a.task, a.made()), d.Contributed(a.ups)}
}

// S-52: whatever makes another key is seen without one: by the inputs, or by one of the two digests.
func TestAskedDependsOnWhatAKeyDoes(t *testing.T) {
	for name, change := range differing(t) {
		a, b := rich(t), rich(t)
		change(b)
		if reflect.DeepEqual(a.inputs, b.inputs) && a.standsOn() == b.standsOn() {
			t.Errorf("%s: it is not seen", name)
		}
	}
}

// S-52: so is what makes another question of the disk, and what makes another contribution to the key of a task further down.
func TestAskedDependsOnTheQuestion(t *testing.T) {
	const plain = "*.c"
	for name, change := range map[string]func(a *action){
		"another input":        func(a *action) { a.task.Inputs = patterns(t, "/lib", "*.h") },
		"an input more":        func(a *action) { a.task.Inputs = patterns(t, "/lib", plain, "*.h") },
		"a literal for a glob": func(a *action) { a.task.Inputs = patterns(t, "/lib", "a.c") },
		"a folder for a file":  func(a *action) { a.task.Inputs = patterns(t, "/lib", "a.c/") },
		"an exception": func(a *action) {
			a.task.Inputs[0].Pattern = a.task.Inputs[0].Pattern.Except(workspace.Patterns(patterns(t, "/lib", "x.c")))
		},
		"a pattern that may miss":   func(a *action) { a.task.Inputs[0].Quiet = true },
		"an input is excluded":      func(a *action) { a.task.Exclude = patterns(t, "/lib", "x/**") },
		"an input is a lock file":   func(a *action) { a.task.Inputs[0].Lock = &workspace.Lock{File: "/x"} },
		"an environment file":       func(a *action) { a.task.EnvFiles = []workspace.EnvFile{{PatternDecl: patterns(t, "/lib", ".env")[0]}} },
		"closure of a narrow one":   func(a *action) { a.ups[3].Closure[0]++ },
		"key of a narrow check":     func(a *action) { a.ups[1].Own[0]++ },
		"outputs of one with all":   func(a *action) { a.ups[0].Own[0]++ },
		"what one printed":          func(a *action) { a.ups[0].Printed, a.ups[0].Streams = true, digest.Digest{9} },
		"an upstream makes nothing": func(a *action) { a.ups[0].Made = false },
	} {
		a, b := rich(t), rich(t)
		a.task.Inputs, b.task.Inputs = patterns(t, "/lib", plain), patterns(t, "/lib", plain)
		change(b)
		if a.standsOn() == b.standsOn() {
			t.Errorf("%s: it is not seen", name)
		}
	}
	optional := func(on bool) *action {
		a := rich(t)
		a.task.EnvFiles = []workspace.EnvFile{{PatternDecl: patterns(t, "/lib", ".env")[0], Optional: on}}
		return a
	}
	if optional(true).standsOn() == optional(false).standsOn() {
		t.Error("whether a file of variables may be absent is not seen")
	}
	a, b := rich(t), rich(t)
	a.ups[0], a.ups[1] = a.ups[1], a.ups[0]
	if a.standsOn() != b.standsOn() {
		t.Error("the order in which upstreams are named counts")
	}
}

// S-52: a digest that was made with the key, and one that is made without, are one as long as the disk says the same.
func TestAskedAgain(t *testing.T) {
	b := newBed(t, "a.c", ".env")
	b.do("write .env FLAVOUR=vanilla", "write a.c int")
	task := &b.task
	task.FromHost, task.EnvFiles = []string{"CC", "FLAVOUR"}, []workspace.EnvFile{{PatternDecl: patterns(t, "/p", ".env")[0]}}
	d := deriverOn(b.fs)
	d.o.Host = hostEnv(map[string]string{"CC": "gcc"})
	at, err := d.Derive(context.Background(), task, nil)
	b.must(err)
	was := d.Asked(task, at)
	again := func() digest.Digest {
		t.Helper()
		fresh := NewDeriver(d.o)
		now, err := fresh.AskAgain(context.Background(), task, func(string) bool { return false })
		b.must(err)
		return now
	}
	if again() != was {
		t.Error("the same workspace asks for something else")
	}
	b.do("write .env FLAVOUR=cherry")
	if again() == was {
		t.Error("another value in a file of variables is not seen")
	}
}
