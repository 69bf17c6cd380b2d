//go:build linux

package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	kept "github.com/haz-build/haz/cache/text"
)

// hostileMemory is what a hostile entry may cost at most, in MiB (7.6).
const hostileMemory = 256

// hostileRig is a workspace with one task, whose entry, and whatever else is kept of it, is forged.
type hostileRig struct {
	t    *testing.T
	root string
	good string // a copy of the workspace as it was
}

const hostileTask = `name: p
tasks:
  t: {shell: "mkdir -p out && echo hi > out/a && head -c 70000 /dev/zero > out/b && echo said", inputs: [in.txt], outputs: ["out/**"], env: {from_host: [PATH]}}
`

func newHostileRig(t *testing.T) *hostileRig {
	r := &hostileRig{t: t, root: filepath.Join(t.TempDir(), "ws"), good: filepath.Join(t.TempDir(), "good")}
	r.write("haz.yml", hostileTask)
	r.write("in.txt", "in\n")
	if out, code, _ := r.haz("run", "p:t"); code != 0 {
		t.Fatalf("exit %d:\n%s", code, out)
	}
	r.copy(r.root, r.good)
	return r
}

func (r *hostileRig) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *hostileRig) copy(from, to string) {
	r.t.Helper()
	if err := os.RemoveAll(to); err != nil {
		r.t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
}

// haz runs a command line and returns what it said, its exit code and its peak of memory in MiB.
func (r *hostileRig) haz(args ...string) (said string, code, peak int) {
	r.t.Helper()
	file := filepath.Join(r.t.TempDir(), "peak")
	program := os.Getenv("HAZ_MEASURE")
	if program == "" {
		program = realHaz(r.t)
	}
	cmd := exec.Command("measured", append([]string{file, program}, args...)...)
	cmd.Dir = r.root
	out, _ := cmd.CombinedOutput()
	b, err := os.ReadFile(file)
	if err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
	kib, err := strconv.Atoi(string(b))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode(), kib / 1024
}

// read is the text of a file in the workspace; "" where there is none.
func (r *hostileRig) read(name string) string {
	b, _ := os.ReadFile(filepath.Join(r.root, name))
	return string(b)
}

// entry is the folder of the one entry.
func (r *hostileRig) entry() string {
	r.t.Helper()
	found, err := filepath.Glob(filepath.Join(r.root, ".haz/cache/??/*/manifest.json"))
	if err != nil || len(found) != 1 {
		r.t.Fatal(found, err)
	}
	return filepath.Dir(found[0])
}

// forge writes a manifest with n other outputs than its own, sealed as it has to be.
func (r *hostileRig) forge(to string, n int, appendItem func(b []byte, i int) []byte) {
	r.t.Helper()
	b, err := os.ReadFile(filepath.Join(r.entry(), "manifest.json"))
	if err != nil {
		r.t.Fatal(err)
	}
	text := string(b)
	key := strings.Index(text, "\nkey ") + 1
	from := key + strings.Index(text[key:], "\n") + 1
	till := strings.Index(text, "\nstdout ") + 1
	f, err := os.Create(to)
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	h := hasher.New(digest.BLAKE3)
	w := bufio.NewWriterSize(io.MultiWriter(f, h), 1<<20)
	put := func(b []byte) {
		if _, err := w.Write(b); err != nil {
			r.t.Fatal(err)
		}
	}
	put([]byte(text[:from]))
	var item []byte
	for i := range n {
		item = appendItem(item[:0], i)
		put(item)
	}
	put([]byte(text[till : strings.LastIndex(text, "\ndigest ")+1]))
	if err := w.Flush(); err != nil {
		r.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(f, "digest %s\n", hasher.Of(h).Hex()); err != nil {
		r.t.Fatal(err)
	}
}

func dirItem(b []byte, path string) []byte { return fmt.Appendf(b, "dir 755 %s\n", path) }

func fileItem(b []byte, path string) []byte {
	return fmt.Appendf(b, "file 644 0 %s %s\n", hasher.Sum(digest.BLAKE3, nil).Hex(), path)
}

func linkItem(b []byte, path, target string) []byte {
	return fmt.Appendf(b, "link %s %s\n", path, target)
}

// recordOf is a record of the task in a log: lines with a seal that fits.
func recordOf(kind, lines string) []byte {
	return sealed("haz " + kind + " 1 blake3\ntask p:t\n" + lines + "made 1099511627776\n")
}

func sealed(body string) []byte {
	w := kept.Writer{B: []byte(strings.TrimSuffix(body, "\n"))}
	w.Seal(digest.BLAKE3)
	return w.B
}

// lastKey makes the last key of the good workspace one with other inputs.
func (r *hostileRig) lastKey(inputs int, path string) []byte {
	r.t.Helper()
	file, err := os.ReadFile(filepath.Join(r.root, ".haz/state/keys.log"))
	if err != nil {
		r.t.Fatal(err)
	}
	before, after, ok := strings.Cut(string(file), "\ninput ")
	if !ok {
		r.t.Fatalf("%q", file)
	}
	_, after, _ = strings.Cut(after, "\n")
	return sealed(before + "\n" + strings.Repeat("input "+path+" dir\n", inputs) + after[:strings.LastIndex(after, "digest ")])
}

// Whatever an entry, or what is kept beside the cache, holds or claims: haz takes 256 MiB for it at most, ends, and the task's result is
// right (7.6).
func TestHostileMemory(t *testing.T) {
	rig := newHostileRig(t)
	name := strings.Repeat("x", 200)
	manifest := func(n int, item func(b []byte, i int) []byte) func() {
		forged := ""
		return func() {
			if forged == "" {
				forged = filepath.Join(t.TempDir(), "manifest.json")
				rig.forge(forged, n, item)
			}
			if err := os.WriteFile(filepath.Join(rig.entry(), "outputs", hasher.Sum(digest.BLAKE3, nil).Hex()), nil, 0o400); err != nil {
				rig.t.Fatal(err)
			}
			at := filepath.Join(rig.entry(), "manifest.json")
			if err := os.Remove(at); err != nil {
				rig.t.Fatal(err)
			}
			if err := os.Link(forged, at); err != nil {
				rig.t.Fatal(err)
			}
		}
	}
	state := func(name string, content func() []byte) func() {
		return func() {
			if err := os.WriteFile(filepath.Join(rig.root, ".haz/state", name), content(), 0o600); err != nil {
				rig.t.Fatal(err)
			}
		}
	}
	// sparse makes a file that is long, which costs whoever does it nothing.
	sparse := func(name string, size int64) func() {
		return func() {
			at := filepath.Join(rig.root, ".haz", strings.Replace(name, "ENTRY", "cache/??/*", 1))
			if found, err := filepath.Glob(at); err == nil && len(found) > 0 {
				at = found[0]
			}
			f, err := os.OpenFile(at, os.O_RDWR|os.O_CREATE, 0o600)
			if err == nil {
				err = f.Truncate(size)
			}
			if err != nil {
				rig.t.Fatal(err)
			}
			f.Close()
		}
	}
	run := func(text string) func() []byte {
		return func() []byte {
			return []byte(`{"version":1,"tasks":[` + text + `]}`)
		}
	}
	full := manifest(1<<17-1, func(b []byte, i int) []byte { return fileItem(b, fmt.Sprintf("/out/%07d%.100s/f", i, name)) })
	fullProducts := state("produced.log", func() []byte { return productsOf(1<<18-1, "/out/%07d"+name[:180]) })
	shapes := []struct {
		name  string
		forge func()
		hits  bool // it may be restored
		long  bool // runs take their time
		often bool // tried without HAZ_LONG as well: the others differ in what small tests beside each reader hold, too
	}{
		{"many outputs", manifest(1_000_000, func(b []byte, i int) []byte { return dirItem(b, fmt.Sprintf("/out/%07d", i)) }), false, false, false},
		{"long names", manifest(100_000, func(b []byte, i int) []byte { return dirItem(b, fmt.Sprintf("/out/%07d", i)+name+name) }), false, false, true},
		{"long link texts", manifest(3_000, func(b []byte, i int) []byte {
			return linkItem(b, fmt.Sprintf("/out/%07d", i), strings.Repeat(name, 150))
		}), false, false, false},
		{"deep folders", manifest(4000, func(b []byte, i int) []byte {
			return fileItem(b, fmt.Sprintf("/out/%07d", i)+strings.Repeat("/d", 2000))
		}), false, false, false},
		{"as much as is allowed", full, true, true, false},
		{"all as much as is allowed", func() { full(); fullProducts() }, true, true, true},
		{"products", state("produced.log", func() []byte { return productsOf(4_000_000, "") }), false, false, false},
		{"rows of a product list", state("produced.log", func() []byte { return productsOf(3_000_000, "") }), false, false, false},
		{"product list, as much as is allowed", fullProducts, false, true, false},
		{"last key", state("keys.log", func() []byte { return rig.lastKey(3_000_000, "") }), false, false, false},
		{"last key, as much as is allowed", state("keys.log", func() []byte { return rig.lastKey(1<<18-100, name[:100]) }), false, false, true},
		{"tasks", state("produced.log", func() []byte { return manyRecords("produced", 500_000) }), false, true, false},
		{"rewritten paths", state("rewrites.log", func() []byte {
			return recordOf("rewrites", strings.Repeat("path \"\"\n", 15<<20/8))
		}), false, false, true},
		{"tasks of a run", state("runs/99999999999999999999-f.json", run(strings.Repeat(`{},`, 10_000_000)+"{}")), false, false, false},
		{"text of a run", state("runs/99999999999999999999-f.json", run(`{"task":"`+strings.Repeat(`x`, 100<<20)+`"}`)), false, false, true},
		{"brackets of a run", state("runs/99999999999999999999-f.json", run(strings.Repeat(`[`, 100<<20))), false, false, false},
		{"sparse manifest", sparse("ENTRY/manifest.json", 3<<30), false, false, true},
		{"sparse product lists", sparse("state/produced.log", 3<<30), false, false, false},
		{"sparse last keys", sparse("state/keys.log", 3<<30), false, false, false},
		{"sparse index", sparse("state/index", 3<<30), false, false, false},
		{"large index", sparse("state/index", 500<<20), false, false, true},
		{"sparse secret", sparse("state/secret", 3<<30), false, false, false},
		{"sparse run", sparse("state/runs/99999999999999999999-f.json", 3<<30), false, false, false},
		{"sparse stdout", sparse("ENTRY/stdout", 3<<30), false, false, false},
		{"sparse blob", sparse("ENTRY/outputs/*", 3<<30), false, false, false},
	}
	// What may be as long as the new product list, and lie there instead of it, costs nothing beside it.
	t.Run("a product list as long as the new one", func(t *testing.T) {
		if !long() {
			t.Skip("HAZ_LONG=1 tries it")
		}
		rig.t = t
		rig.copy(rig.good, rig.root)
		full()
		was := 0
		for _, gone := range []bool{true, false, true} {
			if gone {
				if err := os.RemoveAll(filepath.Join(rig.root, "out")); err != nil {
					t.Fatal(err)
				}
			}
			said, code, peak := rig.haz("run", "p:t")
			is, key := rig.productsOfAnotherKey()
			t.Logf("outputs gone: %v: %d MiB, a product list of %d bytes after one of %d, exit %d: %.200q", gone, peak, is, was, code, said)
			if code != 0 || peak > hostileMemory || key == hostileKey {
				t.Errorf("exit %d, %d MiB, the product list has key %x", code, peak, key)
			}
			if !gone && is != was {
				t.Error("the new product list is of another length, though the outputs stay what they are")
			}
			was = is
		}
	})
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			if !s.often && !long() {
				t.Skip("HAZ_LONG=1 tries it")
			}
			rig.t = t
			for _, c := range []struct {
				args []string
				gone bool // the outputs are not there
				runs bool
			}{
				{[]string{"why", "--diff", "p:t"}, false, false}, // first: it writes nothing, whatever it takes to be right
				{[]string{"run", "p:t"}, true, true},
				{[]string{"run", "p:t"}, false, true},
				{[]string{"run", "--failed", "--dry-run"}, false, false},
				{[]string{"cache", "info"}, false, false},
				{[]string{"cache", "clean", "--soft", "--max-size", "1B"}, false, false},
				{[]string{"check"}, false, false},
			} {
				if c.runs && s.long && !long() {
					continue
				}
				rig.copy(rig.good, rig.root)
				s.forge()
				if c.gone {
					if err := os.RemoveAll(filepath.Join(rig.root, "out")); err != nil {
						t.Fatal(err)
					}
				}
				said, code, peak := rig.haz(c.args...)
				what := strings.Join(c.args, " ")
				t.Logf("%s: %d MiB, exit %d: %.200q", what, peak, code, said)
				if peak > hostileMemory {
					t.Fatalf("%s: %d MiB", what, peak)
				}
				if c.runs && (code != 0 || !s.hits && rig.read("out/a") != "hi\n") {
					t.Errorf("%s: exit %d, made %q; said:\n%.2000s", what, code, rig.read("out/a"), said)
				}
			}
		})
	}
}

var hostileKey = digest.Digest{0xbd}

// productsOfAnotherKey puts a product list in the place of the one that counts, which differs from it in its key. It returns the length and the
// key of the one that counted.
func (r *hostileRig) productsOfAnotherKey() (size int, key digest.Digest) {
	r.t.Helper()
	name := ".haz/state/produced.log"
	log := r.read(name)
	last := log[strings.LastIndex(log, "haz produced "):]
	before, after, ok := strings.Cut(last, "\nkey ")
	if !ok {
		r.t.Fatalf("%d bytes are no record", len(last))
	}
	if _, err := hex.Decode(key[:], []byte(after[:2*digest.Size])); err != nil {
		r.t.Fatal(err)
	}
	r.write(name, log[:len(log)-len(last)]+string(sealed(before+"\nkey "+hostileKey.Hex()+after[2*digest.Size:strings.LastIndex(after, "digest ")])))
	return len(last), key
}

// productsOf makes a product list with n rows, whose paths have a form; "": each as short as can be.
func productsOf(n int, form string) []byte {
	var b strings.Builder
	b.WriteString("key " + digest.Digest{}.Hex() + "\n")
	for i := range n {
		path := `""`
		if form != "" {
			path = fmt.Sprintf(form, i)
		}
		b.WriteString("file 000 0 " + path + " unknown own 0 0 0 0\n")
	}
	return recordOf("produced", b.String())
}

// manyRecords are records of n tasks that nobody has.
func manyRecords(kind string, n int) []byte {
	var b []byte
	for i := range n {
		b = append(b, sealed(fmt.Sprintf("haz %s 1 blake3\ntask x:%07d\nmade 0\n", kind, i))...)
	}
	return b
}
