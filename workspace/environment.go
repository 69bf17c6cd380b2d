package workspace

import (
	"slices"
	"strings"
)

// What a task sees of the environment of haz. A name is hashed where `from_host` lists it: its value is part of the cache key. It is
// passed where `pass` lists it, or by default: the task sees it, and its value is in no key.

// passedByDefault are the names that pass where nothing is said (haz::cfg::042): what finds programs, who and where the user is, how
// text looks, and how the network is reached. None of them is to change what a task makes; `*` stands for any rest of a name.
var passedByDefault = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR",
	"TERM", "LANG", "LC_*", "TZ",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "NIX_SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
	"GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "AWS_CA_BUNDLE", "CARGO_HTTP_CAINFO", "PIP_CERT", "DENO_CERT",
}

// PassedByDefault lists the names that every task sees unless its environment is strict; LC_* stands for all that begin so.
func PassedByDefault() []string { return slices.Clone(passedByDefault) }

// Variables that haz itself sets for each task; what the host has of these names, no task sees (EXEC-032).
const (
	EnvRoot        = "HAZ_WORKSPACE_ROOT" // where the workspace lies, on the host
	EnvProject     = "HAZ_PROJECT"        // the name of its project
	EnvProjectRoot = "HAZ_PROJECT_ROOT"   // where that lies, on the host: the folder that the task starts in
	EnvTask        = "HAZ_TASK"           // its name
)

// isOwn reports whether haz sets a variable itself.
func isOwn(name string) bool {
	switch name {
	case EnvRoot, EnvProject, EnvProjectRoot, EnvTask:
		return true
	}
	return false
}

// EnvFile is a file of variables, as env.files names it (haz::cfg::045).
type EnvFile struct {
	PatternDecl // a literal
	Optional    bool
}

// Sets reports whether the task sets a variable to a text.
func (t *Task) Sets(name string) bool {
	_, set := t.Override[name]
	return set
}

// EnvNames are the names of FromHost and Pass in tables, which tasks share: a list is searched for each variable of the host.
type EnvNames struct {
	hashed, passed map[string]bool
	prefixes       []string
}

// NewEnvNames makes the tables of long lists; of short ones nil, which are searched as fast.
func NewEnvNames(fromHost, pass []string) *EnvNames {
	const few = 16
	if len(fromHost)+len(pass) <= few {
		return nil
	}
	n := &EnvNames{hashed: make(map[string]bool, len(fromHost)), passed: make(map[string]bool, len(pass))}
	for _, name := range fromHost {
		n.hashed[name] = true
	}
	for _, text := range pass {
		if n.passed[text] = true; strings.HasSuffix(text, "*") {
			n.prefixes = append(n.prefixes, text)
		}
	}
	return n
}

// listed reports whether from_host has a name.
func (t *Task) listed(name string) bool {
	if t.EnvNames != nil {
		return t.EnvNames.hashed[name]
	}
	return slices.Contains(t.FromHost, name)
}

// passed reports whether pass means a name.
func (t *Task) passed(name string) bool {
	if n := t.EnvNames; n != nil {
		return n.passed[name] || passedBy(n.prefixes, name)
	}
	return passedBy(t.Pass, name)
}

// Hashes reports whether the value of a variable of the host is part of the task's key.
func (t *Task) Hashes(name string) bool {
	return !t.Sets(name) && !isOwn(name) && t.listed(name)
}

// Passes reports whether the task sees a variable of the host whose value is in no key, and whether it does so by default alone.
func (t *Task) Passes(name string) (passes, byDefault bool) {
	if t.Sets(name) || isOwn(name) || t.listed(name) {
		return false, false
	}
	if t.passed(name) {
		return true, false
	}
	byDefault = !t.Strict && passesByDefault(name)
	return byDefault, byDefault
}

// passesByDefault is passedBy of passedByDefault, for environments with many variables.
func passesByDefault(name string) bool {
	return defaultNames[name] || passedBy(defaultPrefixes, name)
}

var defaultNames, defaultPrefixes = func() (map[string]bool, []string) {
	names, prefixes := map[string]bool{}, []string{}
	for _, text := range passedByDefault {
		if strings.HasSuffix(text, "*") {
			prefixes = append(prefixes, text)
		} else {
			names[text] = true
		}
	}
	return names, prefixes
}()

// HasPath reports whether the environment of the task can have a PATH.
func (t *Task) HasPath() bool {
	passes, _ := t.Passes("PATH")
	return t.Sets("PATH") || passes || t.Hashes("PATH")
}

func passedBy(texts []string, name string) bool {
	return slices.ContainsFunc(texts, func(text string) bool { return PassText(text, name) })
}

// PassText reports whether a text of `pass`, a name or PREFIX_*, means a name.
func PassText(text, name string) bool {
	if prefix, many := strings.CutSuffix(text, "*"); many {
		return strings.HasPrefix(name, prefix)
	}
	return text == name
}

// CheckPassName checks a text of `pass`: the name of a variable, or the beginning of one and a `*`. The error is *NameError.
func CheckPassName(s string) error {
	prefix, many := strings.CutSuffix(s, "*")
	if many && prefix == "" {
		return &NameError{Length: 1, Reason: "`*` stands behind the beginning of a name"}
	}
	return CheckEnvName(prefix)
}
