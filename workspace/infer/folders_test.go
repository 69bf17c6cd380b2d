package infer_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer"
)

// members are globs as manifests have them, those with "!" in front leave.
func members(t *testing.T, base string, hidden bool, globs ...string) infer.Members {
	t.Helper()
	m := infer.Members{Skip: []string{"node_modules"}}
	for _, text := range globs {
		rest, leave := strings.CutPrefix(text, "!")
		g, err := infer.NewGlob(base, rest, "m", hidden)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if leave {
			m.Leave = append(m.Leave, g)
		} else {
			m.Take = append(m.Take, g)
		}
	}
	return m
}

func TestFolders(t *testing.T) {
	outer := fsys.Memory()
	write(t, outer, "/o/m", "")
	if err := outer.MkdirAll("/ws", 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := outer.Sub("/ws")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/", "/a", "/p/a", "/p/b", "/p/b/node_modules/x", "/p/b/test/c", "/p/.hid", "/p/[x]", "/.git/p", "/q/r/s", "/q/r/s/p/d"} {
		write(t, f, path.Join(dir, "m"), "")
	}
	write(t, f, "/p/file", "")
	if err := f.MkdirAll("/p/empty", 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"/p/link": "../q/r", "/q/r/loop": "../../q", "/p/out": "../../o", "/p/none": "nothing", "/l": "p"} {
		if err := f.Symlink(text, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct{ globs, want string }{
		{"p/*", "/p/[x]=0 /p/a=0 /p/b=0"},
		{"./p/*/", "/p/[x]=0 /p/a=0 /p/b=0"},
		{"/p/*", "/p/[x]=0 /p/a=0 /p/b=0"},
		{"p/* p/a", "/p/[x]=0 /p/a=0,1 /p/b=0"},
		{"p/* !p/b", "/p/[x]=0 /p/a=0"},
		{"!p/b p/*", "/p/[x]=0 /p/a=0"},
		{"p/** !**/test/**", "/p/[x]=0 /p/a=0 /p/b=0 /q/r/s=0 /q/r/s/p/d=0"},
		{"p/b/**", "/p/b=0 /p/b/test/c=0"},
		{"p/.hid", "/p/.hid=0"},
		{"p/.*", "/p/.hid=0"},
		{"p/file", ""},
		{"p/none p/out p/empty gone/*", ""},
		{"p/{a,{b,zz}}", "/p/a=0 /p/b=0"},
		{"p/{a,b/test/*}", "/p/a=0 /p/b/test/c=0"},
		{".", "/=0"},
		{"*", "/a=0"},
		{"l/a l/*", "/p/[x]=1 /p/a=0,1 /p/b=1"},
		{"p/b/node_modules/x", "/p/b/node_modules/x=0"},
		{"q/**", "/q/r/s=0 /q/r/s/p/d=0"},
		{"p/[ab]", "/p/a=0 /p/b=0"},
		{"p/?", "/p/a=0 /p/b=0"},
	} {
		var got []string
		for _, folder := range infer.NewDisk(f).Folders(t.Context(), members(t, "/", false, strings.Fields(tc.globs)...)) {
			if _, err := f.Lstat(path.Join(folder.Dir, "m")); err != nil {
				continue
			}
			got = append(got, folder.Dir+"="+strings.ReplaceAll(strings.Trim(fmt.Sprint(folder.Globs), "[]"), " ", ","))
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s gives %s, want %s", tc.globs, strings.Join(got, " "), tc.want)
		}
	}
}

func TestFoldersBelow(t *testing.T) {
	f := fsys.Memory()
	for _, dir := range []string{"/w/p/a", "/w/p/.b", "/o/c"} {
		write(t, f, dir+"/m", "")
	}
	var got []string
	for _, folder := range infer.NewDisk(f).Folders(t.Context(), members(t, "/w", true, "p/*", "../o/*")) {
		got = append(got, folder.Dir)
	}
	if want := []string{"/o/c", "/w/p/.b", "/w/p/a"}; !slices.Equal(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestBadGlobs(t *testing.T) {
	for text, want := range map[string]string{
		"p/!(a|b)":                    "!(...) is a form of glob that is not known here",
		"../x":                        "it leads out of the workspace",
		"p/[a":                        `"[" is not closed`,
		"p/{a,b":                      "a brace is not closed",
		strings.Repeat("{a,b}", 10):   "its braces come to more than 1000 globs",
		strings.Repeat("{a,", 1300):   "a brace is not closed",
		strings.Repeat("x", 4<<10+1):  "it is longer than 4096 bytes",
		strings.Repeat("{a,b}", 4000): "it is longer than 4096 bytes",
	} {
		if _, err := infer.NewGlob("/", text, "m", false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", text, err, want)
		}
	}
	for _, fine := range []string{"p/{a}", "p/()", "a,b", strings.Repeat("{a,b}", 9)} {
		if _, err := infer.NewGlob("/", fine, "m", false); err != nil {
			t.Errorf("%s: %v", fine, err)
		}
	}
}
