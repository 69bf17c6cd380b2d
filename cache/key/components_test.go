package key

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/packages"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/cache/tools"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

func patterns(t testing.TB, dir string, texts ...string) []workspace.PatternDecl {
	t.Helper()
	var ds []workspace.PatternDecl
	for _, text := range texts {
		p, err := pattern.Parse(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		ds = append(ds, workspace.PatternDecl{Text: text, Pattern: p.Anchor(dir)})
	}
	return ds
}

func hostEnv(vars map[string]string) HostEnv {
	var environ []string
	for name, value := range vars {
		environ = append(environ, name+"="+value)
	}
	return NewHostEnv(environ)
}

// action is a task and what else its key depends on, ready to be changed.
type action struct {
	hash   digest.Function
	place  Place
	umask  uint32
	env    map[string]string
	task   workspace.Task
	tools  []tools.Tool
	inputs []Input
	locks  []packages.Found
	ups    []Upstream
}

func (a *action) deriver() *Deriver {
	return NewDeriver(Options{Hash: a.hash, Place: a.place, Umask: a.umask, Host: hostEnv(a.env)})
}

func (a *action) components() *components {
	return a.deriver().components(&a.task, a.made())
}

// made is what the key is made of.
func (a *action) made() *Derived {
	return &Derived{Tools: a.tools, Inputs: a.inputs, Locks: a.locks, Upstreams: Sorted(a.ups)}
}

// vector is the action of 5.5.
func vector(t testing.TB, fn digest.Function) *action {
	return &action{
		hash:  fn,
		place: Place{OS: "linux", Arch: "amd64"},
		umask: 0o022,
		env:   map[string]string{"PATH": "/usr/bin:/bin", "HOME": "/home/u"},
		task: workspace.Task{
			ID: workspace.TaskID{Project: "lib", Task: "compile"}, Project: &workspace.Project{Name: "lib", Dir: "/lib"},
			Kind: workspace.Command, Argv: []string{"cc", "-c", "a.c", "-o", "out/a.o"},
			Inputs: patterns(t, "/lib", "a.c"), Outputs: patterns(t, "/lib", "out/a.o"),
			FromHost: []string{"PATH", "CC"}, Override: map[string]string{"LANG": "C"}, Cache: true,
		},
		tools:  []tools.Tool{{Name: "cc", How: tools.Bytes, Digest: hasher.Sum(fn, []byte("compiler"))}},
		inputs: []Input{{Path: "/lib/a.c", Kind: FileInput, Digest: hasher.Sum(fn, []byte("int x;\n"))}},
		ups: []Upstream{{Task: workspace.TaskID{Project: "gen", Task: "hdr"}, Made: true, Own: hasher.Sum(fn, []byte("outputs")),
			Closure: hasher.Sum(fn, []byte("closure"))}},
	}
}

// The test vector of 5.5 (CACHE-002..009).
func TestVector(t *testing.T) {
	if chapterRevision != manifest.Revision {
		t.Errorf("keys are of revision %d, manifests of %d", chapterRevision, manifest.Revision)
	}
	for fn, want := range map[digest.Function]string{
		digest.BLAKE3: "89f54a71fe00724b1e84c938f2175152cb0f565d1035fee7c54bde834d42d2c0",
		digest.SHA256: "a3f328fb9a090b81d67f4f09d94e73521cde85bb567d5985f5a6d22b498297f6",
	} {
		a := vector(t, fn)
		c := a.components()
		of := func(s string) string { return hasher.Sum(fn, []byte(s)).Hex() }
		text := "haz key 4 " + fn.String() + `
place linux amd64 /lib
name lib compile
umask 022
command cc
command -c
command a.c
command -o
command out/a.o
tool cc ` + of("compiler") + `
output literal /lib/out/a.o
input /lib/a.c file ` + of("int x;\n") + `
upstream gen hdr closure ` + of("closure") + `
env CC absent
env LANG ` + of("LANG\x00C") + `
env PATH ` + of("PATH\x00/usr/bin:/bin") + `
`
		if preimage := string(a.deriver().Preimage(&a.task, a.derived())); preimage != text+"digest "+want+"\n" {
			t.Errorf("%s: the preimage is\n%swant\n%sdigest %s", fn, preimage, text, want)
		}
		if got := c.key().Hex(); got != want || got != of(text) {
			t.Errorf("%s: key %s, want %s", fn, got, want)
		}
	}
}

// rich is an action with something in every component.
func rich(t testing.TB) *action {
	a := vector(t, digest.BLAKE3)
	a.task.Outputs = patterns(t, "/lib", "out/a.o", "out/*.d", "/gen/x")
	a.task.FromHost = []string{"PATH", "CC", "EMPTY"}
	a.env["EMPTY"] = ""
	a.tools = []tools.Tool{{Name: "as"}, {Name: "cc", How: tools.Bytes, Digest: digest.Digest{0x12}}, {Name: "ld", How: tools.Unreadable, Digest: digest.Digest{0x13}}}
	a.inputs = []Input{
		{Path: "/lib/a.c", Kind: FileInput, Digest: digest.Digest{1}},
		{Path: "/lib/b.sh", Kind: FileInput, Digest: digest.Digest{2}, Exec: true},
		{Path: "/lib/dir", Kind: LinkInput, LinkText: "../d", Target: TargetDir},
		{Path: "/lib/empty", Kind: DirInput},
		{Path: "/lib/gone", Kind: LinkInput, LinkText: "nowhere", Target: TargetAbsent},
		{Path: "/lib/link", Kind: LinkInput, LinkText: "a.c", Target: TargetFile, Digest: digest.Digest{1}},
	}
	lock := func(file string) *workspace.Lock { return &workspace.Lock{File: file, Files: []string{file}} }
	a.locks = []packages.Found{
		{Lock: lock("/Cargo.lock"), How: packages.Reached, Digest: digest.Digest{0x21}},
		{Lock: lock("/uv.lock")},
		{Lock: lock("/yarn.lock"), How: packages.Whole, Digest: digest.Digest{0x22}},
	}
	a.ups = append(a.ups,
		Upstream{Task: workspace.TaskID{Project: "gen", Task: "lint"}, Own: digest.Digest{5}, Closure: digest.Digest{6}, Narrow: true},
		Upstream{Task: workspace.TaskID{Project: "gen", Task: "src"}, Made: true, Own: digest.Digest{3}, Closure: digest.Digest{4}},
		Upstream{Task: workspace.TaskID{Project: "gen", Task: "wide"}, Made: true, Own: digest.Digest{7}, Closure: digest.Digest{8}, Narrow: true})
	return a
}

// differing are changes that each make another key.
func differing(t testing.TB) map[string]func(a *action) {
	return map[string]func(a *action){
		"hash function":              func(a *action) { a.hash = digest.SHA256 },
		"operating system":           func(a *action) { a.place.OS = "darwin" },
		"architecture":               func(a *action) { a.place.Arch = "arm64" },
		"umask (S-24)":               func(a *action) { a.umask = 0o077 },
		"project directory (S-24)":   func(a *action) { a.task.Project = &workspace.Project{Name: "lib", Dir: "/lib2"} },
		"project at the root":        func(a *action) { a.task.Project = &workspace.Project{Name: "lib", Dir: "/"} },
		"an argument":                func(a *action) { a.task.Argv = []string{"cc", "-c", "a.c", "-o", "out/b.o"} },
		"arguments split otherwise":  func(a *action) { a.task.Argv = []string{"cc", "-ca.c", "-o", "out/a.o", ""} },
		"an empty argument":          func(a *action) { a.task.Argv = append(a.task.Argv, "") },
		"shell for command":          func(a *action) { a.task.Kind, a.task.Shell, a.task.Script = workspace.Shell, "cc", "-c" },
		"tool replaced (CACHE-035)":  func(a *action) { a.tools[1].Digest[0]++ },
		"tool appears":               func(a *action) { a.tools[0].How = tools.Bytes },
		"tool not readable any more": func(a *action) { a.tools[1].How = tools.Unreadable },
		"another tool":               func(a *action) { a.tools[1].Name = "cc1" },
		"tool more":                  func(a *action) { a.tools = append(a.tools, tools.Tool{Name: "strip"}) },
		"output pattern added":       func(a *action) { a.task.Outputs = patterns(t, "/lib", "out/a.o", "out/*.d", "/gen/x", "y") },
		"task name (EXEC-032)":       func(a *action) { a.task.ID.Task = "other" },
		"project name (EXEC-032)":    func(a *action) { a.task.ID.Project = "other" },
		"output pattern renamed":     func(a *action) { a.task.Outputs = patterns(t, "/lib", "out/b.o", "out/*.d", "/gen/x") },
		"output glob changed":        func(a *action) { a.task.Outputs = patterns(t, "/lib", "out/a.o", "out/?.d", "/gen/x") },
		"output pattern gone":        func(a *action) { a.task.Outputs = a.task.Outputs[1:] },
		"content":                    func(a *action) { a.inputs[0].Digest[31]++ },
		"path of an input":           func(a *action) { a.inputs[0].Path = "/lib/a.cc" },
		"input added":                func(a *action) { a.inputs = append(a.inputs, Input{Path: "/lib/z", Kind: FileInput}) },
		"input gone":                 func(a *action) { a.inputs = a.inputs[:5] },
		"what is reached (cfg::114)": func(a *action) { a.locks[0].Digest[0]++ },
		"a lock file as a whole":     func(a *action) { a.locks[0].How = packages.Whole },
		"a lock file comes":          func(a *action) { a.locks[1].How = packages.Reached },
		"another lock file":          func(a *action) { a.locks[0].Lock.File = "/go.sum" },
		"execute bit (S-24)":         func(a *action) { a.inputs[0].Exec = true },
		"execute bit behind a link":  func(a *action) { a.inputs[5].Exec = true },
		"link text (S-24)":           func(a *action) { a.inputs[5].LinkText = "./a.c" },
		"link text of a directory":   func(a *action) { a.inputs[2].LinkText = "../e" },
		"content behind a link":      func(a *action) { a.inputs[5].Digest[0]++ },
		"link to nothing any more":   func(a *action) { a.inputs[5].Target = TargetAbsent },
		"link to something now":      func(a *action) { a.inputs[4].Target = TargetFile },
		"link entered now":           func(a *action) { a.inputs[4].Target = TargetDir },
		"link became a file":         func(a *action) { a.inputs[5] = Input{Path: "/lib/link", Kind: FileInput, Digest: digest.Digest{1}} },
		"empty directory gone":       func(a *action) { a.inputs = append(a.inputs[:3:3], a.inputs[4:]...) },
		"empty directory is a file":  func(a *action) { a.inputs[3].Kind = FileInput },
		"upstream's closure (S-25)":  func(a *action) { a.ups[0].Closure[0]++ },
		"outputs of a narrow one":    func(a *action) { a.ups[3].Own[0]++ },
		"narrow now":                 func(a *action) { a.ups[0].Narrow = true },
		"narrow no longer":           func(a *action) { a.ups[3].Narrow = false },
		"upstream gone":              func(a *action) { a.ups = a.ups[:1] },
		"upstream's task":            func(a *action) { a.ups[0].Task.Task = "h" },
		"upstream's project":         func(a *action) { a.ups[0].Task.Project = "gen2" },
		"upstreams swap closures":    func(a *action) { a.ups[0].Closure, a.ups[2].Closure = a.ups[2].Closure, a.ups[0].Closure },
		"variable present now":       func(a *action) { a.env["CC"] = "" },
		"variable absent now":        func(a *action) { delete(a.env, "EMPTY") },
		"value from the host":        func(a *action) { a.env["PATH"] += "x" },
		"value not UTF-8 (S-12)":     func(a *action) { a.env["PATH"] = "\xff" },
		"override":                   func(a *action) { a.task.Override = map[string]string{"LANG": "D"} },
		"variable declared":          func(a *action) { a.task.FromHost = append(a.task.FromHost, "NEW") },
		"variable no longer there":   func(a *action) { a.task.FromHost = a.task.FromHost[1:] },
		"override of a host's value": func(a *action) { a.task.Override = map[string]string{"LANG": "C", "PATH": "x"} },
	}
}

// Issue 5, point 3: what differs in a component changes the key.
func TestKeyDependsOn(t *testing.T) {
	for name, change := range differing(t) {
		a, b := rich(t), rich(t)
		change(b)
		if a.components().key() == b.components().key() {
			t.Errorf("%s: the keys are equal", name)
		}
	}
}

// CACHE-001, MUTEX-008, DAG-018: what differs elsewhere does not.
func TestKeyDoesNotDependOn(t *testing.T) {
	for name, change := range map[string]func(a *action){
		"tags":                       func(a *action) { a.task.Project = &workspace.Project{Name: "lib", Dir: "/lib", Tags: []string{"t"}} },
		"index, overlay":             func(a *action) { a.task.Index, a.task.Overlay = 7, "o" },
		"timeout":                    func(a *action) { a.task.Timeout = time.Minute },               // haz::cfg::080
		"condition":                  func(a *action) { a.task.If = workspace.Condition{Env: "CI"} }, // haz::cfg::082
		"retry":                      func(a *action) { a.task.Retry = workspace.Retry{Times: 2} },   // haz::cfg::081
		"mutex":                      func(a *action) { a.task.Mutex = &workspace.Mutex{Name: "db"} },
		"soft edges":                 func(a *action) { a.task.WeakDeps = make([]workspace.RefDecl, 2) },
		"text of deps":               func(a *action) { a.task.Deps = make([]workspace.RefDecl, 2) },
		"cache":                      func(a *action) { a.task.Cache = false },
		"exclude":                    func(a *action) { a.task.Exclude = patterns(t, "/lib", "x/**") },
		"text of inputs":             func(a *action) { a.task.Inputs = patterns(t, "/lib", "*.c") },
		"where a tool lies":          func(a *action) { a.tools[1].File = "/opt/bin/cc" },
		"order of output patterns":   func(a *action) { a.task.Outputs = patterns(t, "/lib", "/gen/x", "out/*.d", "out/a.o") },
		"spelling of output pattern": func(a *action) { a.task.Outputs = patterns(t, "/lib", "/lib/out/a.o", "out/*.d", "/gen/x") },
		"output pattern twice":       func(a *action) { a.task.Outputs = patterns(t, "/lib", "out/a.o", "out/*.d", "/gen/x", "/lib/out/a.o") },
		"closure of a narrow one":    func(a *action) { a.ups[3].Closure[0]++ },
		"key of a narrow check":      func(a *action) { a.ups[1].Own[0]++ },
		"order of upstreams":         func(a *action) { a.ups[0], a.ups[1] = a.ups[1], a.ups[0] },
		"order of from_host":         func(a *action) { a.task.FromHost = []string{"EMPTY", "CC", "PATH"} },
		"from_host twice":            func(a *action) { a.task.FromHost = append(a.task.FromHost, "CC") },
		"undeclared host variables":  func(a *action) { a.env["HOME"] = "/home/v" },
		"source of a value":          func(a *action) { a.task.Override = map[string]string{"LANG": "C", "PATH": "/usr/bin:/bin"} },
		"both lists, override wins":  func(a *action) { a.task.FromHost, a.env["LANG"] = append(a.task.FromHost, "LANG"), "D" },
		"times, owner, other modes":  func(a *action) { a.inputs[0].Info.MTime, a.inputs[0].Info.Perm, a.inputs[0].Sure = 5, 0o640, true },
	} {
		a, b := rich(t), rich(t)
		change(b)
		if a.components().key() != b.components().key() {
			t.Errorf("%s: the keys differ", name)
		}
	}
}

// An unused shell or argv is not part of the action.
func TestKeyOfShell(t *testing.T) {
	shell := func(name, script string) *action {
		a := rich(t)
		a.task.Kind, a.task.Argv, a.task.Shell, a.task.Script = workspace.Shell, nil, name, script
		return a
	}
	base := shell("sh", "echo a").components().key()
	for _, a := range []*action{shell("bash", "echo a"), shell("sh", "echo b"), shell("she", "cho a"), shell("sh-e", "echo a"), shell("sh", "echo\na"),
		shell("sh", "echo a\n"), shell("sh", "\necho a"), shell("sh", "echo  a")} {
		if a.components().key() == base {
			t.Errorf("%q %q: the keys are equal", a.task.Shell, a.task.Script)
		}
	}
}

// A script that ends at its first failure is another action than one that goes on: what was kept of such a script never hits.
func TestKeyOfShellOptions(t *testing.T) {
	a := rich(t)
	a.task.Kind, a.task.Argv, a.task.Shell, a.task.Script = workspace.Shell, nil, "bash", "echo a"
	c := a.components()
	key := c.key()
	if want := []string{"bash", "-e", "-o", "pipefail", "echo a"}; !slices.Equal(c.argv, want) {
		t.Errorf("the action is %q, want %q", c.argv, want)
	}
	if c.argv = []string{"bash", "echo a"}; c.key() == key {
		t.Error("the key does not tell -e")
	}
}

// S-13: what can be shown of a key has no value in it, nor do equal values show; and it is what the key is the digest of.
func TestPreimageShowsNoValues(t *testing.T) {
	a := rich(t)
	a.env["PATH"], a.env["CC"] = "hunter2-hunter2", "hunter2-hunter2"
	a.task.Override = map[string]string{"LANG": "hunter2-hunter2"}
	preimage := a.deriver().Preimage(&a.task, a.derived())
	if bytes.Contains(preimage, []byte("hunter2")) {
		t.Errorf("a value is in\n%s", preimage)
	}
	seen := map[string]bool{}
	for l := range strings.Lines(string(preimage)) {
		if name, digest, ok := strings.Cut(strings.TrimPrefix(l, "env "), " "); ok && strings.HasPrefix(l, "env ") {
			if seen[digest] {
				t.Errorf("the value of %s is that of another variable", name)
			}
			seen[digest] = true
		}
	}
	if key := a.derived().Key; len(seen) != 4 || !bytes.HasSuffix(preimage, []byte("\ndigest "+key.Hex()+"\n")) || hasher.Sum(digest.BLAKE3, preimage[:len(preimage)-text.SealSize]) != key {
		t.Errorf("%s is not of\n%s", key.Hex(), preimage)
	}
}

// No two different components are fed as the same bytes, wherever the parts end.
func TestPreimageIsUnambiguous(t *testing.T) {
	seen := map[string]string{}
	for _, argv := range [][]string{{"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {"", "abc"}, {}} {
		a := rich(t)
		a.task.Argv = argv
		b := string(a.deriver().Preimage(&a.task, a.derived()))
		if other, ok := seen[b]; ok {
			t.Errorf("%q and %s", argv, other)
		}
		seen[b] = fmt.Sprintf("%q", argv)
	}
}

func BenchmarkCompose(b *testing.B) {
	for _, n := range []int{4, 10000} {
		b.Run(fmt.Sprintf("inputs=%d", n), func(b *testing.B) {
			a := vector(b, digest.BLAKE3)
			a.inputs = nil
			for i := range n {
				a.inputs = append(a.inputs, Input{Path: fmt.Sprintf("/lib/src/file%06d.c", i), Kind: FileInput})
			}
			d := a.deriver()
			b.ReportAllocs()
			for b.Loop() {
				d.components(&a.task, a.made()).key()
			}
		})
	}
}

func TestRecordHead(t *testing.T) {
	a := rich(t)
	d := a.deriver()
	at := a.derived()
	head := func(secret, run string, unix int64) string {
		return string(state.RecordHead(d.Record(&a.task, at, []byte(secret), run, unix)))
	}
	one := head("s", "r1", 5)
	if one != head("s", "r2", 6) {
		t.Error("the head depends on run or time")
	}
	if strings.Count(one, "\n") != 4 || !strings.HasPrefix(one, "haz lastkey ") || !strings.HasSuffix(one, "\n") {
		t.Errorf("the head is %q", one)
	}
	if one == head("t", "r1", 5) {
		t.Error("the head does not depend on the secret")
	}
	at.Key[0]++
	if one == head("s", "r1", 5) {
		t.Error("the head does not depend on the key")
	}
}
