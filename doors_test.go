package haz

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestDoors fails on product code that reaches the disk beside package fsys, starts a program beside package process, or reaches the network
// beside package ready.
func TestDoors(t *testing.T) {
	files := 0
	eachProductFile(t, func(file, text string) {
		files++
		for _, bad := range besideDoors(t, file, text) {
			t.Error(bad)
		}
	})
	if files < 300 {
		t.Errorf("only %d files were looked at", files)
	}
}

// eachProductFile calls f for each file of product code.
func eachProductFile(t *testing.T, f func(file, text string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != "." && notProduct(p, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		f(filepath.ToSlash(p), string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// notProduct are folders of tests, kits for tests, examples and tools.
func notProduct(p, name string) bool {
	return name == "testdata" || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "test") || slices.Contains([]string{"bench", "internal/mutants", "examples"}, filepath.ToSlash(p))
}

// harmless is what package os has beside files: this process, its streams, words for errors and flags. All else is a call of the disk,
// also what a later Go adds.
var harmless = strings.Fields(`Args Environ ErrDeadlineExceeded ErrExist ErrNotExist ErrPermission Exit Expand File FileInfo FileMode Getegid Getenv Geteuid Getgid
	Getpid Getppid Getuid Interrupt Kill LinkError LookupEnv NewFile PathError SameFile Signal Stderr Stdin Stdout SyscallError Unsetenv DevNull`)

// offline are the packages below net that only read texts.
var offline = []string{"net/mail", "net/netip", "net/url"}

// sockets are the calls of the system with which a network is reached, whatever package has them.
var sockets = []string{"Accept", "Accept4", "Bind", "Connect", "Listen", "Socket", "Socketpair"}

// onNetwork are the folders that may have sockets: to look at services, and to be reached from another terminal.
var onNetwork = []string{"cmd/haz/attach", "ready"}

// looksAtDisk are the functions of path/filepath that do.
var looksAtDisk = []string{"EvalSymlinks", "Glob", "Walk", "WalkDir"}

// exempt are calls that files may make all the same: *.go of a folder, or one file.
var exempt = map[string]string{
	"cmd/haz/main.go":    "Chdir Getwd",            // where haz stands is asked at its entrance and handed down, like the environment
	"process/*_linux.go": "Open ReadFile Readlink", // of /proc, through which processes are known
}

func mayCall(file, name string) bool {
	if strings.HasPrefix(file, "fsys/") {
		return true
	}
	for glob, names := range exempt {
		if ok, _ := path.Match(glob, file); ok && slices.Contains(strings.Fields(names), name) {
			return true
		}
	}
	return false
}

// besideDoors names each call of a file that goes past fsys, process or ready.
func besideDoors(t *testing.T, file, text string) []string {
	t.Helper()
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, file, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var bad []string
	names := map[string]string{} // what the file calls a package → its import path
	for _, s := range f.Imports {
		at, _ := strconv.Unquote(s.Path.Value)
		name := path.Base(at)
		if s.Name != nil {
			name = s.Name.Name
		}
		names[name] = at
		switch {
		case (at == "net" || strings.HasPrefix(at, "net/") && !slices.Contains(offline, at)) && !slices.Contains(onNetwork, path.Dir(file)):
			bad = append(bad, fmt.Sprintf("%s: imports %s: the network is reached by package ready", files.Position(s.Pos()), at))
		case at == "os/exec" && path.Dir(file) != "process":
			bad = append(bad, fmt.Sprintf("%s: imports os/exec: programs are started by package process", files.Position(s.Pos())))
		case name == "." && (at == "os" || at == "path/filepath"), at == "io/ioutil":
			bad = append(bad, fmt.Sprintf("%s: imports %s in a way that hides its calls", files.Position(s.Pos()), at))
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		s, is := n.(*ast.SelectorExpr)
		if !is {
			return true
		}
		of, is := s.X.(*ast.Ident)
		if !is {
			return true
		}
		name, at := s.Sel.Name, names[of.Name]
		disk := at == "os" && !slices.Contains(harmless, name) && !strings.HasPrefix(name, "O_") && !strings.HasPrefix(name, "Mode") ||
			at == "path/filepath" && slices.Contains(looksAtDisk, name)
		if (at == "syscall" || at == "golang.org/x/sys/unix") && slices.Contains(sockets, name) && !slices.Contains(onNetwork, path.Dir(file)) {
			bad = append(bad, fmt.Sprintf("%s: %s.%s: the network is reached by package ready", files.Position(s.Pos()), at, name))
		}
		if disk && !mayCall(file, name) {
			bad = append(bad, fmt.Sprintf("%s: %s.%s: the disk is reached by package fsys", files.Position(s.Pos()), at, name))
		}
		return true
	})
	return bad
}

// TestDoorsGoRed shows that the check can fail.
func TestDoorsGoRed(t *testing.T) {
	for _, tc := range []struct {
		file, text string
		want       int
	}{
		{"cache/a.go", "import \"os\"\nvar _, _ = os.Lstat(\"x\")", 1},
		{"cache/a.go", "import disk \"os\"\nvar f = disk.ReadFile", 1},
		{"cache/a.go", "import . \"os\"\nvar _, _ = Lstat(\"x\")", 1},
		{"cache/a.go", "import \"path/filepath\"\nvar _, _ = filepath.EvalSymlinks(filepath.Join(\"x\"))", 1},
		{"cmd/haz/a.go", "import \"os\"\nvar _ = os.Chdir(\"x\")", 1},
		{"cmd/haz/main.go", "import \"os\"\nvar _ = os.Chdir(os.Getenv(\"x\"))\nvar _ = os.O_RDWR|os.ModeDir", 0},
		{"process/a.go", "import \"os\"\nvar _, _ = os.Open(\"/proc\")", 1},
		{"process/a_linux.go", "import \"os\"\nvar _, _ = os.Open(\"/proc\")\nvar _ = os.Remove(\"x\")", 1},
		{"process/a.go", "import \"os/exec\"\nvar _ = exec.Command(\"x\")", 0},
		{"workspace/git/a.go", "import \"os/exec\"\nvar _ = exec.Command(\"x\")", 1},
		{"fsys/a.go", "import \"os\"\nvar _, _ = os.Lstat(\"x\")", 0},
		{"actors/a.go", "import \"net\"\nimport web \"net/http\"\nimport \"net/http/httptest\"", 3},
		{"actors/a.go", "import \"net/url\"\nimport \"net/netip\"", 0},
		{"actors/a.go", "import \"golang.org/x/sys/unix\"\nvar _, _ = unix.Socket(1, 1, 0)", 1},
		{"ready/a.go", "import \"net\"\nimport \"syscall\"\nvar _, _ = syscall.Socket(1, 1, 0)", 0},
		{"ready/a.go", "import \"os\"\nvar _, _ = os.ReadFile(\"/proc/net/tcp\")", 1},
	} {
		if bad := besideDoors(t, tc.file, "package a\n"+tc.text); len(bad) != tc.want {
			t.Errorf("%s with\n%s\nfinds %q, want %d", tc.file, tc.text, bad, tc.want)
		}
	}
}

// TestNoIdleExemptions fails on an exemption that nothing needs.
func TestNoIdleExemptions(t *testing.T) {
	for glob, names := range exempt {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Fields(names) {
			if !slices.ContainsFunc(files, func(file string) bool {
				text, err := os.ReadFile(file)
				return err == nil && strings.Contains(string(text), "os."+name+"(")
			}) {
				t.Errorf("nothing in %s needs os.%s", glob, name)
			}
		}
	}
}

// TestOnNetworkIsNeeded fails on a folder that may have sockets and has none.
func TestOnNetworkIsNeeded(t *testing.T) {
	imports := packageImports(t)
	for _, dir := range onNetwork {
		if !slices.Contains(imports[dir], "net") {
			t.Errorf("%s does not import net", dir)
		}
	}
}

// TestNamesUnderHaz fails on product code that spells a path of what haz reads and keeps in a workspace, where package layout has it. A
// text for people, which has spaces, may.
func TestNamesUnderHaz(t *testing.T) {
	found := 0
	eachProductFile(t, func(file, text string) {
		names := spelledNames(t, file, text)
		if strings.HasPrefix(file, "layout/") {
			found += len(names)
			return
		}
		for _, bad := range names {
			t.Error(bad)
		}
	})
	if found < 2 {
		t.Errorf("only %d names are found in package layout", found)
	}
	for text, want := range map[string]int{`".haz"`: 1, `"/.haz/cache"`: 1, "`x/.haz/`": 1, `".haz" + "/tasks"`: 1, `"haz.yml"`: 1, `"/haz.yml"`: 1, `"**/haz.yml"`: 1,
		`".haz-tmp"`: 0, `"created .haz/x"`: 0, `"nothaz.yml"`: 0, `"haz"`: 0, `"a haz.yml"`: 0} {
		if got := spelledNames(t, "cache/a.go", "package a\nvar x = "+text); len(got) != want {
			t.Errorf("%s: %q, want %d", text, got, want)
		}
	}
}

var spelledName = regexp.MustCompile(`^\S*(^|/)(\.haz(/\S*)?|haz\.yml)$`)

func spelledNames(t *testing.T, file, text string) []string {
	t.Helper()
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, file, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var bad []string
	ast.Inspect(f, func(n ast.Node) bool {
		if s, is := n.(*ast.BasicLit); is && s.Kind == token.STRING {
			if text, err := strconv.Unquote(s.Value); err == nil && spelledName.MatchString(text) {
				bad = append(bad, fmt.Sprintf("%s: %s: package layout names it", files.Position(s.Pos()), s.Value))
			}
		}
		return true
	})
	return bad
}
