package golang

import (
	"reflect"
	"testing"

	"golang.org/x/mod/modfile"
)

var plainFiles = []string{
	"module example.com/a\n",
	"module example.com/a // Deprecated: use b\n\ngo 1.26.1\n\ntoolchain go1.26.2\n",
	"// about\nmodule example.com/a/v2\n\ngo 1.26\n\nrequire (\n\texample.com/b v1.2.3\n\texample.com/c/v3 v3.0.0-20240102030405-abcdefabcdef // indirect\n\n\t// because\n\tgopkg.in/d.v2 v2.1.0\n\texample.com/e v2.0.0+incompatible\n)\n",
	"module m\r\n\r\nrequire example.com/b v0.1.0 // indirect\r\nreplace example.com/b => ../b\r\nreplace example.com/b v0.1.0 => example.com/c v1.0.0\r\n",
	"module m\nexclude example.com/b v1.0.0\ntool example.com/b/cmd\ngodebug default=go1.21\nignore ./node_modules\nignore (\n\tx\n) // end\nreplace (\n\ta => ./a\n\tb v1.0.0 => /b\n)",
}

// TestPlain: what `go mod tidy` writes needs no library, and what is written otherwise, or wrongly, is left to it.
func TestPlain(t *testing.T) {
	for _, text := range plainFiles {
		if plain(text) == nil {
			t.Errorf("the library has to read\n%s", text)
		}
		sameAsLibrary(t, text)
	}
	for _, text := range []string{
		"", "go 1.26\n", "module a\nmodule b\n", "module a\ngo 1.26\ngo 1.26\n", "module a\ngo 1\n", "module a\ntoolchain x\n", "module \"a\"\n", "module a\nrequire b v1\n",
		"module a\nrequire b main\n", "module a\nrequire b v2.0.0\n", "module a\nrequire b/v2 v1.0.0\n", "module a\nrequire b/v1 v1.0.0\n", "module a\nrequire gopkg.in/b v1.0.0\n",
		"module a\nrequire (\n\tb v1.0.0\n", "module a\nrequire (\n\tb v1.0.0)\n", "module a\nrequire ( b v1.0.0 )\n", "module a\nrequire (\n(\n)\n)\n", "module a\nrequire\n", "module a\n)\n",
		"module a//b\n", "module a /* b */\n", "module a\nwhat\n", "module a\nwhat (\n)\n", "module a\nretract v1.0.0\n", "module a\nreplace b => c\n", "module a\nreplace b => ./c v1.0.0\n",
		"module a\nreplace b => c v1\n", "module a\nreplace b v1 => ./c\n", "module a\nreplace b/v1 => ./c\n", "module a\nreplace b\n", "module a\nreplace b v1.0.0 v1.0.0 => ./c\n",
		"module a\nreplace b => .\\c\n", "module a\nignore a b\n", "module a\ntool\n", "module a\ngodebug x\n", "module a\u00a0b\n",
	} {
		if m := plain(text); m != nil {
			t.Errorf("not plain, but read as %+v:\n%s", *m, text)
		}
	}
}

func sameAsLibrary(t *testing.T, text string) {
	t.Helper()
	got := plain(text)
	if got == nil {
		return
	}
	f, err := modfile.Parse("go.mod", []byte(text), anyVersion)
	if err != nil {
		t.Fatalf("the library says %v of\n%s", err, text)
	}
	if want := manifestOf(f); !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v\nof %q", got, want, text)
	}
}

// FuzzPlain: whatever is read without the library, the library reads in the same way.
func FuzzPlain(f *testing.F) {
	for _, text := range plainFiles {
		f.Add(text)
	}
	f.Fuzz(sameAsLibrary)
}
