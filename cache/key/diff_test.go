package key

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/cache/tools"
	"github.com/haz-build/haz/workspace"
)

func (a *action) derived() *Derived {
	at := a.made()
	at.Key = a.components().key()
	return at
}

func (a *action) record(secret string) []byte {
	return a.deriver().Record(&a.task, a.derived(), []byte(secret), "7f3a", 1_700_000_000)
}

func told(ds []Difference) string {
	var b strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&b, "%c %s|%s|%s\n", d.Sign, d.Kind, d.Name, d.Detail)
	}
	return b.String()
}

// Issue 6, point 4: every component of the key explains itself.
func TestDiff(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a *action)
		want   string
	}{
		"nothing":                      {func(a *action) {}, ""},
		"content":                      {func(a *action) { a.inputs[0].Digest[0] = 9 }, "~ input|/lib/a.c|01000000 -> 09000000\n"},
		"input added and gone":         {func(a *action) { a.inputs[0].Path = "/lib/a.cc" }, "- input|/lib/a.c|\n+ input|/lib/a.cc|\n"},
		"execute bit":                  {func(a *action) { a.inputs[0].Exec = true }, "~ input|/lib/a.c|executable now\n"},
		"execute bit and bytes":        {func(a *action) { a.inputs[1].Exec, a.inputs[1].Digest = false, digest.Digest{} }, "~ input|/lib/b.sh|02000000 -> 00000000\n~ input|/lib/b.sh|not executable any more\n"},
		"kind":                         {func(a *action) { a.inputs[3].Kind = FileInput }, "~ input|/lib/empty|empty directory -> file\n"},
		"link text":                    {func(a *action) { a.inputs[5].LinkText = "b\n" }, "~ input|/lib/link|link \"a.c\" -> \"b\\n\"\n"},
		"link target":                  {func(a *action) { a.inputs[4].Target = TargetDir }, "~ input|/lib/gone|leads to nothing -> a directory\n"},
		"value from host":              {func(a *action) { a.env["PATH"] = "/secret" }, "~ env|PATH|value changed (from host)\n"},
		"override":                     {func(a *action) { a.task.Override = map[string]string{"LANG": "secret"} }, "~ env|LANG|value changed (override)\n"},
		"variable set":                 {func(a *action) { a.env["CC"] = "secret" }, "~ env|CC|not set -> set (from host)\n"},
		"variable not set":             {func(a *action) { delete(a.env, "EMPTY") }, "~ env|EMPTY|set -> not set (from host)\n"},
		"variable declared":            {func(a *action) { a.task.Override = map[string]string{"LANG": "C", "X": "secret"} }, "+ env|X|set (override)\n"},
		"variable gone":                {func(a *action) { a.task.FromHost = []string{"PATH", "EMPTY"} }, "- env|CC|not set (from host)\n"},
		"argument":                     {func(a *action) { a.task.Argv = []string{"cc", "-S", "a.c", "-o", "out/a.o"} }, "~ command|argv[1]|\"-c\" -> \"-S\"\n"},
		"argument inserted":            {func(a *action) { a.task.Argv = []string{"cc", "-O2", "-c", "a.c", "-o", "out/a.o"} }, "+ command|argv[1]|\"-O2\"\n"},
		"arguments gone":               {func(a *action) { a.task.Argv = []string{"cc", "-c", "a.c"} }, "- command|argv[3]|\"-o\"\n- command|argv[4]|\"out/a.o\"\n"},
		"tool":                         {func(a *action) { a.tools[1].Digest[0] = 9 }, "~ tool|cc|12000000 -> 09000000\n"},
		"tool found":                   {func(a *action) { a.tools[0] = tools.Tool{Name: "as", How: tools.Bytes} }, "~ tool|as|absent -> 00000000\n"},
		"tool not readable":            {func(a *action) { a.tools[2].How = tools.Bytes }, "~ tool|ld|unreadable 13000000 -> 13000000\n"},
		"tool replaced":                {func(a *action) { a.tools[2].Name = "mold" }, "- tool|ld|unreadable 13000000\n+ tool|mold|unreadable 13000000\n"},
		"tools of a new action":        {func(a *action) { a.tools[2].Name, a.task.Argv = "mold", []string{"cc"} }, "- command|argv[1]|\"-c\"\n- command|argv[2]|\"a.c\"\n- command|argv[3]|\"-o\"\n- command|argv[4]|\"out/a.o\"\n"},
		"shell for command":            {func(a *action) { a.task.Kind = workspace.Shell }, "~ command||command -> shell script\n"},
		"upstream's outputs":           {func(a *action) { a.ups[2].Own[0] = 1; a.ups[2].Closure[0] = 9 }, "~ upstream|gen:src outputs|03000000 -> 01000000\n"},
		"upstream's closure":           {func(a *action) { a.ups[2].Closure[0] = 9 }, "~ upstream|gen:src closure|04000000 -> 09000000\n"},
		"upstream's key":               {func(a *action) { a.ups[1].Narrow, a.ups[1].Own[0] = false, 9 }, "~ upstream|gen:lint|closure: false -> closure: true\n"},
		"upstream's streams asked for": {func(a *action) { a.ups[2].Printed = true }, "~ upstream|gen:src|streams: false -> streams: true\n"},
		"upstream narrowed":            {func(a *action) { a.ups[2].Narrow = true }, "~ upstream|gen:src|closure: true -> closure: false\n"},
		"outputs of a narrow":          {func(a *action) { a.ups[3].Own[0] = 9 }, "~ upstream|gen:wide outputs|07000000 -> 09000000\n"},
		"closure of a narrow":          {func(a *action) { a.ups[3].Closure[0] = 9 }, ""},
		"key of a narrow check":        {func(a *action) { a.ups[1].Own[0] = 9 }, ""},
		"no outputs any more":          {func(a *action) { a.ups[2].Made, a.ups[2].Closure[0] = false, 9 }, "~ upstream|gen:src|declares no outputs any more\n"},
		"upstream replaced":            {func(a *action) { a.ups[2].Task.Task = "z" }, "- upstream|gen:src|\n+ upstream|gen:z|\n"},
		"output pattern":               {func(a *action) { a.task.Outputs = patterns(t, "/lib", "out/a.o", "out/*.x", "/gen/x") }, "- outputs|/lib/out/*.d|\n+ outputs|/lib/out/*.x|\n"},
		"incremental":                  {func(a *action) { a.task.Incremental = true }, "+ incremental||true\n"},
		"tty":                          {func(a *action) { a.task.TTY = true }, "+ tty||true\n"},
		"service":                      {func(a *action) { a.task.Service = &workspace.Service{AutoPort: true} }, "+ service||port auto\n"},
		"port of a service":            {func(a *action) { a.task.Service = &workspace.Service{Port: 80} }, "+ service||port 80\n"},
		"what a service exports":       {func(a *action) { a.task.Service = &workspace.Service{Exports: map[string]string{"B": "b", "A": "a"}} }, "+ service||port none\n+ export|A|a\n+ export|B|b\n"},
		"umask":                        {func(a *action) { a.umask = 0o077 }, "~ place|umask|022 -> 077\n"},
		"machine":                      {func(a *action) { a.place.OS, a.place.Arch = "darwin", "arm64" }, "~ place|operating system|linux -> darwin\n~ place|architecture|amd64 -> arm64\n"},
		"project directory":            {func(a *action) { a.task.Project = &workspace.Project{Dir: "/"} }, "~ place|project directory|/lib -> /\n"},
	} {
		a, b := rich(t), rich(t)
		c.change(b)
		ds, made, ok := b.deriver().Diff(a.record("salt"), &b.task, b.derived(), []byte("salt"))
		if !ok || !reflect.DeepEqual(made, Recorded{"7f3a", 1_700_000_000, a.derived().Key, []string{}}) {
			t.Errorf("%s: made %+v, ok %v", name, made, ok)
		}
		if got := told(ds); got != c.want {
			t.Errorf("%s:\n%swant\n%s", name, got, c.want)
		}
		if (a.derived().Key == b.derived().Key) != (len(ds) == 0) {
			t.Errorf("%s: %d differences, but keys %s and %s", name, len(ds), a.derived().Key.Short(), b.derived().Key.Short())
		}
	}
}

// Arguments of a run are told apart from what they are given to, and where the same is carried out there is nothing to tell.
func TestDiffOfArguments(t *testing.T) {
	const command, script, appended = 0, 1, 2
	for name, c := range map[string]struct {
		kind        int
		was, now    []string // arguments
		change      func(t *workspace.Task)
		want        string
		wantSameKey bool
	}{
		"of a command":         {command, []string{"a", "b c"}, nil, nil, "- arguments||\"a\" \"b c\"\n", false},
		"another":              {command, []string{"a"}, []string{"b"}, nil, "~ arguments||\"a\" -> \"b\"\n", false},
		"the same":             {command, []string{"a"}, []string{"a"}, nil, "", true},
		"beside another word":  {command, nil, []string{"x"}, func(t *workspace.Task) { t.Argv = []string{"ld"} }, "+ arguments||\"x\"\n~ command|argv[0]|\"cc\" -> \"ld\"\n", false},
		"written now":          {command, []string{"x"}, nil, func(t *workspace.Task) { t.Argv = []string{"cc", "x"} }, "", true},
		"of a script":          {script, []string{"it's", "two\nlines"}, []string{"c"}, nil, "~ arguments||\"it's\" \"two\\nlines\" -> \"c\"\n", false},
		"beside another line":  {script, []string{"a"}, nil, func(t *workspace.Task) { t.Script = "one\nTWO\n" }, "- arguments||\"a\"\n~ command|script|line 2: \"two\" -> \"TWO\"\n", false},
		"behind a script":      {appended, nil, []string{"a"}, nil, "+ arguments||\"a\"\n", false},
		"behind another":       {appended, []string{"a"}, []string{"b"}, func(t *workspace.Task) { t.Script = "one\n" }, "~ arguments||\"a\" -> \"b\"\n~ command|script|line 2 is gone: \"two\"\n", false},
		"in another place":     {script, []string{"a"}, []string{"b"}, func(t *workspace.Task) { t.AppendsArguments = true }, "~ arguments||\"a\" -> \"b\"\n", false},
		"in another place too": {script, []string{"a"}, []string{"a"}, func(t *workspace.Task) { t.AppendsArguments = true }, "~ command|script|line 1: \"set -- 'a'; one\" -> \"one\"\n", false},
	} {
		a, b := rich(t), rich(t)
		for _, x := range []*action{a, b} {
			x.tools = nil
			if x.task.Argv = []string{"cc"}; c.kind != command {
				x.task.Kind, x.task.Shell, x.task.Script, x.task.AppendsArguments = workspace.Shell, "sh", "one\ntwo\n", c.kind == appended
			}
		}
		if c.change != nil {
			c.change(&b.task)
		}
		a.task, b.task = *a.task.WithArguments(c.was), *b.task.WithArguments(c.now)
		ds, made, ok := b.deriver().Diff(a.record("salt"), &b.task, b.derived(), []byte("salt"))
		if got := told(ds); !ok || got != c.want {
			t.Errorf("%s:\n%swant\n%s", name, got, c.want)
		}
		if same := a.derived().Key == b.derived().Key; same != c.wantSameKey {
			t.Errorf("%s: same key: %v", name, same)
		}
		if !slices.Equal(made.Arguments, c.was) {
			t.Errorf("%s: recorded are %q", name, made.Arguments)
		}
	}
}

func TestDiffOfScripts(t *testing.T) {
	for _, c := range []struct{ was, now, want string }{
		{"a\nb", "a\nc", `line 2: "b" -> "c"`},
		{"a", "a\nb", `line 2 is new: "b"`},
		{"a\nb", "a", `line 2 is gone: "b"`},
		{"a", strings.Repeat("é", 100), `line 1: "a" -> "` + strings.Repeat("é", 40) + `"…`},
	} {
		a, b := rich(t), rich(t)
		for x, script := range map[*action]string{a: c.was, b: c.now} {
			x.task.Kind, x.task.Shell, x.task.Script = workspace.Shell, "sh", script
		}
		ds, _, ok := b.deriver().Diff(a.record("salt"), &b.task, b.derived(), []byte("salt"))
		if want := "~ command|script|" + c.want + "\n"; !ok || told(ds) != want {
			t.Errorf("%q to %q: %swant %s", c.was, c.now, told(ds), want)
		}
		b.task.Shell, b.task.Script = "bash", c.was
		ds, _, _ = b.deriver().Diff(a.record("salt"), &b.task, b.derived(), []byte("salt"))
		if want := "~ command|shell|\"sh\" -> \"bash\"\n"; told(ds) != want {
			t.Errorf("%swant %s", told(ds), want)
		}
	}
}

// S-13: a record tells no value, not even whether two variables have the same one, or the same one in two workspaces.
func TestRecordKeepsNoValues(t *testing.T) {
	a := rich(t)
	a.env["PATH"], a.env["CC"] = "hunter2-hunter2", "hunter2-hunter2"
	a.task.Override = map[string]string{"LANG": "hunter2-hunter2"}
	record := a.record("salt")
	if bytes.Contains(record, []byte("hunter2")) {
		t.Error("a value is in the record")
	}
	r, ok := readRecord(record, []byte("salt"), maxLines)
	if !ok {
		t.Fatal("not read")
	}
	seen := map[string]bool{}
	for _, v := range r.lines[wordEnv] {
		if v.at(2) != wordAbsent && seen[v.at(2)] {
			t.Error("equal values show")
		}
		seen[v.at(2)] = true
	}
	other, _ := readRecord(a.record("other salt"), []byte("other salt"), maxLines)
	for i, v := range other.lines[wordEnv] {
		if v.at(2) != wordAbsent && v.at(2) == r.lines[wordEnv][i].at(2) {
			t.Error("the salt is not used")
		}
	}
}

// A record that cannot be read, or is of another secret or hash function, is as none.
func TestDiffWithout(t *testing.T) {
	a := rich(t)
	d, at := a.deriver(), a.derived()
	whole := a.record("salt")
	for n := range whole {
		if _, _, ok := d.Diff(whole[:n], &a.task, at, []byte("salt")); ok {
			t.Errorf("%d bytes of %d are a record", n, len(whole))
		}
	}
	if _, _, ok := d.Diff(append(whole, 0), &a.task, at, []byte("salt")); ok {
		t.Error("a byte more is a record")
	}
	if _, _, ok := d.Diff(whole, &a.task, at, []byte("salz")); ok {
		t.Error("a record of another secret was read")
	}
	a.hash = digest.SHA256
	if _, _, ok := a.deriver().Diff(whole, &a.task, at, []byte("salt")); ok {
		t.Error("a record of another hash function was read")
	}
}

func TestSentence(t *testing.T) {
	for _, c := range []struct {
		d    Difference
		want string
	}{
		{Difference{'~', "input", "/lib/a.c", "x"}, "input /lib/a.c changed"},
		{Difference{'+', "env", "CC", ""}, "env CC is new"},
		{Difference{'-', "upstream", "a:b", ""}, "upstream a:b is gone"},
		{Difference{'~', "command", "", ""}, "command changed"},
	} {
		if got := c.d.Sentence(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// Whatever somebody wrote there is compared, or is as none.
func FuzzRecord(f *testing.F) {
	a := rich(f)
	d, at := a.deriver(), a.derived()
	whole := a.record("salt")
	f.Add(string(whole[len(state.RecordHead(whole)) : len(whole)-text.SealSize]))
	a.task.Kind, a.task.Argv, a.task.Shell, a.task.Script = workspace.Shell, nil, "sh", "one\n\ntwo \xff\n"
	shell := a.record("salt")
	f.Add(string(shell[len(state.RecordHead(shell)) : len(shell)-text.SealSize]))
	for word := range wordsOf(f, shell) {
		f.Add(word + "\n" + word + " x\nmade 1 r")
	}
	f.Fuzz(func(t *testing.T, rest string) {
		w := text.Writer{B: append(bytes.Clone(state.RecordHead(whole)), strings.TrimSuffix(rest, "\n")...)}
		w.Seal(digest.BLAKE3)
		ds, _, ok := d.Diff(w.B, &a.task, at, []byte("salt"))
		if _, read := FromRecord(w.B, []byte("salt")); read != ok || !ok && len(ds) > 0 {
			t.Errorf("read %v, compared %v: %v\n%s", read, ok, ds, w.B)
		}
	})
}

func wordsOf(t testing.TB, record []byte) lines {
	r, ok := readRecord(record, []byte("salt"), maxLines)
	if !ok {
		t.Fatalf("not read:\n%s", record)
	}
	return r.lines
}

// No line of components is without a word: one that is missing, new or another one is a difference, for all but what of a narrowed
// upstream does not count.
func TestDiffOfEachLine(t *testing.T) {
	command, shell := rich(t), rich(t)
	command.task.Incremental, command.task.TTY = true, true
	command.task.Service = &workspace.Service{Port: 80, Exports: map[string]string{"A": "a", "B": "b"}}
	shell.task.Kind, shell.task.Argv, shell.task.Shell, shell.task.Script = workspace.Shell, nil, "bash", "one\ntwo"
	for _, a := range []*action{command, shell} {
		record := a.record("salt")
		head := state.RecordHead(record)
		body := strings.SplitAfter(string(record[len(head):len(record)-text.SealSize]), "\n")
		for i, l := range body[:len(body)-2] { // not the one that says when it was made
			l = strings.TrimSuffix(l, "\n")
			if strings.HasPrefix(l, wordUpstream) && strings.Contains(l, " "+wordOutputs+" "+preimageKind+" ") {
				continue
			}
			last := l[strings.LastIndexByte(l, ' ')+1:]
			edits := map[string]string{"without": "", "twice": l + "\n" + l + "\n"}
			switch {
			case len(last) == 2*digest.Size && strings.Contains(l, " "+wordOutputs+" "+wordOutputs+" "):
			case len(last) == 2*digest.Size:
				edits["another"] = strings.TrimSuffix(l, last) + strings.Repeat("5", len(last)) + "\n"
			case l != wordIncremental && l != wordTTY && last != wordDir && last != wordAbsent:
				edits["another"] = l + "x\n"
			}
			for how, by := range edits {
				if how != "another" && strings.HasPrefix(l, wordPlace) {
					continue // it is one line, or no record
				}
				w := text.Writer{B: bytes.Clone(head)}
				w.B = append(w.B, strings.TrimSuffix(strings.Join(body[:i], "")+by+strings.Join(body[i+1:], ""), "\n")...)
				w.Seal(digest.BLAKE3)
				if ds, _, ok := a.deriver().Diff(w.B, &a.task, a.derived(), []byte("salt")); !ok || len(ds) == 0 {
					t.Errorf("%s %s: no difference (%v)", how, l, ok)
				}
			}
		}
	}
}

// What has no words of its own is told plainly: names, and what the other fields were and are.
func TestPlainWording(t *testing.T) {
	d := func(c string) string { return strings.Repeat(c, digest.Size) }
	var ds differences
	named("tool", 1, wording{})(&ds, lines{"tool": {{"cc", d("01")}, {"go", d("02"), "x"}, {"ld", d("03")}}}, lines{"tool": {{"cc", d("01")}, {"go", d("04"), "x"}, {"lx", d("03")}}})
	if got, want := told(ds), "~ tool|go|02020202 x -> 04040404 x\n- tool|ld|\n+ tool|lx|\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Every flipped bit of a record is found.
func TestRecordEveryBit(t *testing.T) {
	good := rich(t).record("salt")
	for i := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			if _, ok := readRecord(b, []byte("salt"), maxLines); ok {
				t.Fatalf("bit %d of byte %d (%q) was not missed", bit, i, good[i])
			}
		}
	}
}
