package git

import (
	"context"
	"strings"

	"github.com/haz-build/haz/diag"
)

// head is the commit of HEAD.
func (r *repository) head(ctx context.Context) (string, error) {
	id, ok, err := r.commit(ctx, "HEAD")
	if err != nil || ok {
		return id, err
	}
	return "", &Error{Code: r.rule, Message: `HEAD names no commit: the repository has none yet, or the branch is damaged`,
		Hint: "before the first commit, --git-staged works"}
}

// revision is the commit that a text of the user names: a revision, or, as A... and A...B, a merge base (B is HEAD where it
// is left out). Only the object id is used from then on.
func (r *repository) revision(ctx context.Context, text string) (string, error) {
	a, b, three := strings.Cut(text, "...")
	switch {
	case text == "":
		return "", r.refuse(text, "it is empty", "")
	case !three && strings.Contains(text, ".."):
		from, to, _ := strings.Cut(text, "..")
		hint := "changes are those of the working tree, so give one revision"
		if from != "" {
			hint += ": " + diag.Quote(from) + ", or " + diag.Quote(from+"..."+to) + " for the merge base"
		}
		return "", r.refuse(text, "it is a range", hint)
	case three && a == "":
		return "", r.refuse(text, `nothing stands before "..."`, "")
	}
	first, err := r.named(ctx, text, a)
	if err != nil || !three {
		return first, err
	}
	if b == "" {
		b = "HEAD"
	}
	second, err := r.named(ctx, text, b)
	if err != nil {
		return "", err
	}
	return r.mergeBase(ctx, text, first, second)
}

// refuse is about a text that git does not get to see.
func (r *repository) refuse(text, why, hint string) *Error {
	return &Error{Code: r.rule, Message: "bad revision " + diag.Quote(text) + ": " + why, Hint: hint}
}

// named resolves one side of the user's text.
func (r *repository) named(ctx context.Context, text, rev string) (string, error) {
	switch {
	case rev[0] == '-':
		return "", r.refuse(text, `a revision does not begin with "-"`, "")
	case strings.ContainsRune(rev, 0):
		return "", r.refuse(text, "it holds a NUL byte", "")
	case strings.Contains(rev, ".."):
		return "", r.refuse(text, "it is a range", "give one revision, or A...B for the merge base of two")
	}
	id, ok, err := r.commit(ctx, rev)
	if err != nil || ok {
		return id, err
	}
	e := &Error{Code: r.rule, Message: "revision " + diag.Quote(rev) + " names no commit of this repository"}
	if rev != text {
		e.Message += " (in " + diag.Quote(text) + ")"
	}
	e.Hint = r.howToGet(ctx, rev)
	return "", e
}

// headOrNothing is the commit of HEAD, or an empty tree before the first commit.
func (r *repository) headOrNothing(ctx context.Context) (string, error) {
	id, ok, err := r.commit(ctx, "HEAD")
	if err != nil || ok {
		return id, err
	}
	out, end, err := r.fed(ctx, strings.NewReader(""), "hash-object", "-t", "tree", "--stdin")
	if err == nil && end.failed != nil {
		err = end.failed
	}
	return strings.TrimSuffix(out, "\n"), err
}

// commit resolves a revision to an object id; not ok when there is no such commit.
func (r *repository) commit(ctx context.Context, rev string) (id string, ok bool, err error) {
	out, end, err := r.code(ctx, "rev-parse", "--verify", "--quiet", rev+"^{commit}")
	if err != nil {
		return "", false, err
	}
	id = strings.TrimSuffix(out, "\n")
	return id, end.failed == nil && isObjectID(id), nil
}

// isObjectID holds git's answer to what is expected: a revision such as ^HEAD would come back as something else.
func isObjectID(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// mergeBase returns a best common ancestor of two commits.
func (r *repository) mergeBase(ctx context.Context, text, first, second string) (string, error) {
	out, end, err := r.code(ctx, "merge-base", first, second)
	switch {
	case err != nil:
		return "", err
	case end.failed != nil && end.status != 1:
		return "", end.failed
	}
	id, _, _ := strings.Cut(out, "\n")
	if !isObjectID(id) {
		return "", &Error{Code: r.rule, Message: "no commit is common to both sides of " + diag.Quote(text), Hint: r.howToDeepen(ctx)}
	}
	return id, nil
}
