package git

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
)

// Base is what --affected compares with (chapter 3, 4.4.6).
type Base struct {
	Commit string // the merge base
	// Name is the revision that it is the merge base of, with HEAD; From says where the name comes from, "" for the command line.
	Name, From string
	// IsHead says that the base is HEAD itself, so that only what is not committed can count.
	IsHead bool

	r      *repository
	staged bool // it is the index
}

// String says in a few words what was taken: "origin/main (from GITHUB_BASE_REF), commit 0123456789ab".
func (b *Base) String() string {
	text := diag.Escape(b.Name)
	if isObjectID(b.Name) {
		text = "commit " + b.Commit[:12]
	}
	if b.From != "" {
		text += " (" + b.From + ")"
	}
	if !isObjectID(b.Name) {
		text += ", commit " + b.Commit[:12]
	}
	return text
}

// targetVariables are how services of continuous integration say what branch a change is to be merged into. They count where
// they are set and not empty; when says what else has to be so.
var targetVariables = []struct{ name, when string }{
	{"GITHUB_BASE_REF", ""}, // also Gitea and Forgejo
	{"CI_MERGE_REQUEST_TARGET_BRANCH_NAME", ""},
	{"CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME", ""},
	{"BITBUCKET_PR_DESTINATION_BRANCH", ""},
	{"SYSTEM_PULLREQUEST_TARGETBRANCH", ""}, // Azure Pipelines
	{"BUILDKITE_PULL_REQUEST_BASE_BRANCH", ""},
	{"CHANGE_TARGET", ""}, // Jenkins
	{"CODEBUILD_WEBHOOK_BASE_REF", ""},
	{"CIRRUS_BASE_BRANCH", ""},
	{"CI_COMMIT_TARGET_BRANCH", ""}, // Woodpecker
	{"DRONE_TARGET_BRANCH", "DRONE_PULL_REQUEST"},
	{"TRAVIS_BRANCH", "TRAVIS_PULL_REQUEST"},
	{"APPVEYOR_REPO_BRANCH", "APPVEYOR_PULL_REQUEST_NUMBER"},
}

// commitVariables name the commit itself that a change starts from.
var commitVariables = []string{"CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA", "BITBUCKET_PR_DESTINATION_COMMIT", "CIRRUS_BASE_SHA"}

// branches are the usual names, the first that exists.
var branches = []string{"main", "master"}

// base finds what work is measured against: what the user names; what continuous integration says; the default branch of the
// remote; a branch with a usual name, there or here. It never falls back from one that is named and missing.
func (r *repository) base(ctx context.Context, o Options) (*Base, error) {
	head, err := r.head(ctx)
	if err != nil {
		return nil, err
	}
	find := baseFinder{r: r, ctx: ctx, head: head, env: variables(o.Env)}
	b, id, err := find.find(o)
	if err != nil {
		return nil, err
	}
	b.r = r
	if b.Commit, err = r.mergeBase(ctx, b.Name+"...HEAD", id, head); err != nil {
		return nil, err
	}
	b.IsHead = b.Commit == head
	if b.IsHead && b.From != "" {
		if before := find.before(); before != nil {
			before.r = r
			return before, nil
		}
	}
	return b, nil
}

// variables are the environment by name.
func variables(env []string) map[string]string {
	m := map[string]string{}
	for _, e := range env {
		if name, value, ok := strings.Cut(e, "="); ok {
			m[name] = value
		}
	}
	return m
}

type baseFinder struct {
	r    *repository
	ctx  context.Context
	head string
	env  map[string]string
}

// find returns a base whose merge base is still to be found, and the commit of its name.
func (f *baseFinder) find(o Options) (*Base, string, error) {
	if o.HasRevision || o.Revision != "" {
		id, err := f.r.revision(f.ctx, o.Revision)
		return &Base{Name: o.Revision}, id, err
	}
	for _, name := range commitVariables {
		if value := f.env[name]; isObjectID(value) && !isNull(value) {
			if id, ok, err := f.r.commit(f.ctx, value); err != nil || ok {
				return &Base{Name: id, From: "from " + name}, id, err
			}
		}
	}
	if b, id, err := f.target(); b != nil || err != nil {
		return b, id, err
	}
	return f.usual()
}

// target is the branch that continuous integration names.
func (f *baseFinder) target() (*Base, string, error) {
	for _, v := range targetVariables {
		value := strings.TrimPrefix(f.env[v.name], "refs/heads/")
		if when := f.env[v.when]; value == "" || v.when != "" && (when == "" || when == "false") {
			continue
		}
		from := "from " + v.name
		if value[0] == '-' || strings.Contains(value, "..") {
			return nil, "", f.r.refuse(value, "this comes "+from, "--base REV goes before it")
		}
		remote := f.r.remote(f.ctx)
		for _, ref := range []string{"refs/remotes/" + remote + "/" + value, "refs/heads/" + value} {
			if id, ok, err := f.r.commit(f.ctx, ref); err != nil || ok {
				return &Base{Name: shortRef(ref), From: from}, id, err
			}
		}
		// A pull request is checked out as the commit that would merge it. Its first parent is the branch.
		if parents := f.parents(); len(parents) > 1 && mergeRef().MatchString(f.env["GITHUB_REF"]) {
			return &Base{Name: "HEAD^1", From: "the branch " + value + " " + from + ", as HEAD merges into it"}, parents[0], nil
		}
		e := &Error{Code: f.r.rule, Message: fmt.Sprintf("there is no branch %s to compare with: it comes %s, and is not in this clone", diag.Quote(value), from),
			Hint: f.r.howToGet(f.ctx, remote+"/"+value)}
		return nil, "", e
	}
	return nil, "", nil
}

// mergeRef is what GitHub calls the commit that would merge a pull request.
var mergeRef = lazily(`^refs/pull/[0-9]+/merge$`)

// parents are the parents of HEAD that this clone has.
func (f *baseFinder) parents() []string {
	out, end, err := f.r.code(f.ctx, "rev-list", "--parents", "-n1", f.head, "--")
	if err != nil || end.failed != nil {
		return nil
	}
	ids := strings.Fields(out)
	if len(ids) < 1 {
		return nil
	}
	return ids[1:]
}

// usual is the default branch of the remote, or a branch with a usual name.
func (f *baseFinder) usual() (*Base, string, error) {
	remote := f.r.remote(f.ctx)
	refs := []string{"refs/remotes/" + remote + "/HEAD"}
	for _, where := range []string{"refs/remotes/" + remote + "/", "refs/heads/"} {
		for _, name := range branches {
			refs = append(refs, where+name)
		}
	}
	for _, ref := range refs {
		if id, ok, err := f.r.commit(f.ctx, ref); err != nil || ok {
			return &Base{Name: shortRef(ref), From: foundAs(ref)}, id, err
		}
	}
	e := &Error{Code: f.r.rule, Message: fmt.Sprintf("there is no branch to compare with: neither %s/HEAD, main nor master, there or here, names a commit", remote),
		Hint: "--base REV, such as --base " + remote + "/main"}
	if others := f.r.refs(f.ctx, "refs/remotes/"+remote+"/"); len(others) > 0 {
		e.Hint = "--base REV; of " + remote + " there is " + diag.Escape(strings.Join(others[:min(5, len(others))], ", "))
		if hint := f.r.howToGet(f.ctx, remote+"/main"); hint != "" {
			e.Hint += "; or, " + hint
		}
	}
	return nil, "", e
}

// before is what continuous integration says the branch was before the commits at hand came to it: nil when it does not say,
// or when the commit is not here.
func (f *baseFinder) before() *Base {
	from, id := "from CI_COMMIT_BEFORE_SHA", f.env["CI_COMMIT_BEFORE_SHA"]
	if file := f.env["GITHUB_EVENT_PATH"]; file != "" && f.env["GITHUB_EVENT_NAME"] == "push" {
		from, id = "what was pushed to, from GITHUB_EVENT_PATH", eventBefore(file)
	}
	if !isObjectID(id) || isNull(id) {
		return nil
	}
	id, ok, err := f.r.commit(f.ctx, id)
	if err != nil || !ok || id == f.head {
		return nil
	}
	// What was pushed by force is not below HEAD, and is what the branch was all the same.
	return &Base{Commit: id, Name: id, From: from}
}

// eventMax bounds what is read of the description of an event.
const eventMax = 32 << 20

// eventBefore reads what GitHub says the pushed branch was before.
func eventBefore(file string) string {
	file, err := filepath.Abs(file)
	if err != nil {
		return ""
	}
	f, err := fsys.Machine().Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := fsys.FileInfo(f); err != nil || info.Kind != fsys.File {
		return ""
	}
	var event struct{ Before string }
	if json.NewDecoder(io.LimitReader(f, eventMax)).Decode(&event) != nil {
		return ""
	}
	return event.Before
}

func isNull(id string) bool { return strings.Trim(id, "0") == "" }

// foundAs says why a reference is taken that nobody named.
func foundAs(ref string) string {
	if strings.HasSuffix(ref, "/HEAD") {
		return "the default branch of the remote"
	}
	return "found by its name"
}

func shortRef(ref string) string {
	return strings.TrimPrefix(strings.TrimPrefix(ref, "refs/remotes/"), "refs/heads/")
}

// remote is the remote that work goes to: origin, or the only one.
func (r *repository) remote(ctx context.Context) string {
	all := r.remotes(ctx)
	if len(all) == 1 {
		return all[0]
	}
	return "origin"
}

func (r *repository) remotes(ctx context.Context) []string {
	out, end, err := r.code(ctx, "remote")
	if err != nil || end.failed != nil {
		return nil
	}
	return slices.DeleteFunc(strings.Split(out, "\n"), func(name string) bool { return name == "" || !plainRef().MatchString(name) })
}

// refs lists the references below a prefix, in short.
func (r *repository) refs(ctx context.Context, below string) []string {
	out, end, err := r.code(ctx, "for-each-ref", "--count=50", "--format=%(refname)", below)
	if err != nil || end.failed != nil || out == "" {
		return nil
	}
	list := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	for i := range list {
		list[i] = shortRef(list[i])
	}
	return list
}

// plainRef is a name that a shell and git take as it is.
var plainRef = lazily(`^[A-Za-z0-9_][A-Za-z0-9_./-]*$`)

// shallow reports whether the clone lacks old commits.
func (r *repository) shallow(ctx context.Context) bool {
	out, end, err := r.code(ctx, "rev-parse", "--is-shallow-repository")
	return err == nil && end.failed == nil && strings.TrimSpace(out) == "true"
}

// howToGet is a hint for a revision that names no commit: a command that brings it, as far as one can know; "" for none.
func (r *repository) howToGet(ctx context.Context, rev string) string {
	if hint := r.howToFetch(ctx, rev); hint != "" {
		return hint
	}
	names := append(r.refs(ctx, "refs/heads/"), r.refs(ctx, "refs/remotes/")...)
	if near := diag.Nearest(rev, names); near != "" {
		return diag.DidYouMean(near)
	}
	return ""
}

// howToFetch is what of that a remote may have.
func (r *repository) howToFetch(ctx context.Context, rev string) string {
	remotes := r.remotes(ctx)
	if len(remotes) == 0 || ctx.Err() != nil {
		return ""
	}
	remote := remotes[0]
	if slices.Contains(remotes, "origin") {
		remote = "origin"
	}
	deepen := ""
	if r.shallow(ctx) {
		deepen = "--unshallow "
	}
	name, branch, isRemote := strings.Cut(strings.TrimPrefix(rev, "refs/remotes/"), "/")
	switch {
	case isRemote && slices.Contains(remotes, name) && branch != "HEAD" && plainRef().MatchString(branch):
		return fmt.Sprintf("to fetch that branch: git fetch %s%s +refs/heads/%s:refs/remotes/%s/%s", deepen, name, branch, name, branch)
	case r.has(ctx, "refs/remotes/"+remote+"/"+rev):
		return diag.DidYouMean(remote + "/" + rev)
	case slices.Contains(branches, rev):
		return fmt.Sprintf("to fetch that branch: git fetch %s%s %s:%s", deepen, remote, rev, rev)
	}
	return r.howToDeepen(ctx)
}

func (r *repository) has(ctx context.Context, ref string) bool {
	if !plainRef().MatchString(ref) {
		return false
	}
	_, ok, err := r.commit(ctx, ref)
	return ok && err == nil
}

// howToDeepen is a hint for a commit that a shallow clone lacks; "" where the clone is not shallow.
func (r *repository) howToDeepen(ctx context.Context) string {
	if !r.shallow(ctx) {
		return ""
	}
	remote := cmp.Or(r.remote(ctx), "origin")
	return fmt.Sprintf("this clone is shallow and lacks old commits: git fetch --unshallow %s '+refs/heads/*:refs/remotes/%s/*'", remote, remote)
}

// lazily compiles an expression when it is first used. All of ours together were a tenth of the start of the program.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
