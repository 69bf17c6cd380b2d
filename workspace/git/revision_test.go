package git

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// EXEC-029: revisions.
func TestSince(t *testing.T) {
	r := newRepo(t)
	first := r.commit("a", "b")
	r.git("tag", "-m", "annotated", "v1")
	r.git("branch", "side")
	second := r.commit("c")
	r.git("checkout", "-q", "side")
	r.commit("d")
	r.git("checkout", "-q", "main")
	r.write("new", "x")

	for _, rev := range []string{first, "v1", "HEAD~1", "main~1", first[:10], "HEAD^", "@~", ":/c~0", "side...", "side...main", "main...side", "HEAD...side"} {
		want := []string{"/c", "/new"}
		if rev == ":/c~0" { // a search in messages, which finds nothing
			continue
		}
		r.want(Since, rev, want...)
	}
	r.want(Since, second, "/new")
	r.want(Since, "side", "/c", "/d", "/new")

	orphan := newRepo(t)
	orphan.commit("a")
	orphan.git("checkout", "-q", "--orphan", "alone")
	orphan.commit("b")
	for _, c := range []struct {
		r                 *repo
		rev, reason, hint string
	}{
		{r, "", "it is empty", ""},
		{r, "-", `does not begin with "-"`, ""},
		{r, "--output=pwned", `does not begin with "-"`, ""},
		{r, "-O/dev/null...main", `does not begin with "-"`, ""},
		{r, "main...--all", `does not begin with "-"`, ""},
		{r, "v1..main", "it is a range", `"v1", or "v1...main"`},
		{r, "..main", "it is a range", ""},
		{r, "v1..", "it is a range", ""},
		{r, "...", "nothing stands before", ""},
		{r, "...main", "nothing stands before", ""},
		{r, "main...side..x", "it is a range", ""},
		{r, "nope", `"nope" names no commit`, ""},
		{r, "main...nope", `"nope" names no commit of this repository (in "main...nope")`, ""},
		{r, "nope...main", `"nope" names no commit`, ""},
		{r, "^HEAD", "names no commit", ""},
		{r, "HEAD:a", "names no commit", ""},
		{r, "HEAD^{tree}", "names no commit", ""},
		{r, "HEAD --output=pwned", "names no commit", ""},
		{r, "HEAD\n--all", "names no commit", ""},
		{r, "HEAD\x00", "NUL", ""},
		{r, "$(touch pwned)", "names no commit", ""},
		{r, "\xff", "names no commit", ""},
		{r, strings.Repeat("a", 40), "names no commit", ""},
		{r, strings.Repeat("HEAD^", 2000), "names no commit", ""},
		{orphan, "main...", "no commit is common", ""},
	} {
		_, err := c.r.ask(Options{Mode: Since, Revision: c.rev})
		var e *Error
		if !errors.As(err, &e) || e.Code != "EXEC-029" || !strings.Contains(e.Message, c.reason) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%q: %#v, want %q", c.rev, err, c.reason)
		}
	}
	if _, err := os.Stat(filepath.Join(r.dir, "pwned")); err == nil {
		t.Error("a revision had an effect")
	}
}

// --affected: the base is what is given, origin/HEAD, main or master, in this order (4.4.6).
func TestAffected(t *testing.T) {
	r := newRepo(t)
	r.commit("a")
	r.git("checkout", "-q", "-b", "work")
	r.commit("b")
	r.git("checkout", "-q", "main")
	r.commit("only-main")
	r.git("checkout", "-q", "work")
	r.write("new", "x")
	// What came to main since is no change of the work.
	r.want(Affected, "", "/b", "/new")
	r.want(Affected, "main", "/b", "/new")
	r.want(Affected, "HEAD", "/new")

	r.git("branch", "-m", "main", "master")
	r.want(Affected, "", "/b", "/new")

	r.git("update-ref", "refs/remotes/origin/trunk", "work")
	r.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
	r.want(Affected, "", "/new")
	r.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone")
	r.want(Affected, "", "/b", "/new")

	r.git("branch", "-D", "-q", "master")
	for _, o := range []Options{{}, {HasRevision: true}, {Revision: "--all"}, {Revision: "nope"}} {
		o.Mode = Affected
		_, err := r.ask(o)
		var e *Error
		if !errors.As(err, &e) || e.Code != "EXEC-026" {
			t.Errorf("%+v: %v", o, err)
		}
		if o.Revision == "" && !o.HasRevision && (!strings.Contains(e.Message, "origin/HEAD, main nor master") || !strings.Contains(e.Hint, "--base")) {
			t.Errorf("%+v", e)
		}
	}
}
