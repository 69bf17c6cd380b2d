package node

import (
	"strconv"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/infer"
)

// manager is the package manager whose rules count: which folders are packages, and which of them a dependency leads to.
type manager uint8

const (
	npm manager = iota
	pnpm
	yarn    // since version 2
	classic // yarn 1
	bun
)

// settings are what the package manager is told about a workspace.
type settings struct {
	manager   manager
	globs     []glob // of its folders
	told      bool   // there is a list of folders, be it empty
	catalogs  catalogs
	overrides []override
	ranges    bool // a range that the version of a package here meets leads to that
}

// glob is an entry of the list of folders.
type glob struct {
	text  string
	place diag.Place
}

const (
	pnpmFile = "/pnpm-workspace.yaml"
	yarnFile = "/.yarnrc.yml"
	npmFile  = "/.npmrc"
)

// readSettings reads what stands in the root of the workspace; root, its manifest, may be nil.
func readSettings(d *infer.Disk, root *manifest) (settings, diag.List) {
	s := settings{ranges: true, catalogs: catalogs{}}
	var mistakes diag.List
	version := 0
	file, there, bad := readYAML(d, pnpmFile)
	s.manager, version = managerOf(d, root, there)
	if root != nil {
		for _, w := range root.workspaces {
			s.globs = append(s.globs, glob{w.value, root.text.Place(w.at.start, w.at.end)})
		}
		s.told = root.hasWorkspaces
		s.overrides = root.overrides
		for catalog, specs := range root.catalogs {
			s.catalogs[catalog] = specs
		}
	}
	switch s.manager {
	case pnpm:
		mistakes = append(mistakes, bad...)
		s.globs, s.told = nil, there
		s.ranges = version > 0 && version < 9
		if value, told := npmSetting(d, "link-workspace-packages"); told {
			s.ranges = value != "false"
		}
		mistakes = append(mistakes, s.pnpm(file)...)
	case yarn:
		file, _, bad := readYAML(d, yarnFile)
		mistakes = append(mistakes, bad...)
		s.takeCatalogs(file)
		if v, _ := file.Get("enableTransparentWorkspaces").Text(); v == "false" {
			s.ranges = false
		}
	}
	return s, mistakes
}

// managerOf says who manages the packages, and its major version, 0 if that is not known: as the manifest of the root says, or by the
// files that are there.
func managerOf(d *infer.Disk, root *manifest, pnpmFile bool) (manager, int) {
	if root != nil && root.manager != "" {
		name, rest, _ := strings.Cut(root.manager, "@")
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		major, _ := strconv.Atoi(digits)
		switch {
		case name == "pnpm":
			return pnpm, major
		case name == "yarn" && major == 1:
			return classic, 1
		case name == "yarn":
			return yarn, major
		case name == "bun":
			return bun, major
		case name == "npm":
			return npm, major
		}
	}
	switch {
	case pnpmFile || d.Has("/pnpm-lock.yaml"):
		return pnpm, lockedBy(d)
	case d.Has("/bun.lock") || d.Has("/bun.lockb"):
		return bun, 0
	case d.Has(yarnFile):
		return yarn, 0
	case d.Has("/yarn.lock"):
		if strings.Contains(string(d.Head("/yarn.lock", 1024)), "__metadata:") {
			return yarn, 0
		}
		return classic, 1
	}
	return npm, 0
}

// lockedBy is the version of pnpm that wrote the lock file, as far as its settings differ: 8, or 0 for a newer one or none.
func lockedBy(d *infer.Disk) int {
	for line := range strings.Lines(string(d.Head("/pnpm-lock.yaml", 1024))) {
		if rest, found := strings.CutPrefix(line, "lockfileVersion:"); found {
			if rest = strings.Trim(rest, " '\"\r\n"); strings.HasPrefix(rest, "6") || strings.HasPrefix(rest, "5") {
				return 8
			}
		}
	}
	return 0
}

// npmSetting is a setting of .npmrc, where the last one of a name counts.
func npmSetting(d *infer.Disk, name string) (value string, told bool) {
	t, _ := d.Manifest(npmFile)
	if t == nil {
		return "", false
	}
	for line := range strings.Lines(string(t.Bytes)) {
		key, rest, _ := strings.Cut(line, "=")
		if strings.TrimSpace(key) == name {
			value, told = strings.Trim(strings.TrimSpace(rest), `"'`), true
		}
	}
	return value, told
}

// pnpm takes what pnpm-workspace.yaml says.
func (s *settings) pnpm(file config.Foreign) (mistakes diag.List) {
	first := map[string]diag.Place{}
	file.Each(func(key string, value config.Foreign) {
		if at, twice := first[key]; twice { // pnpm refuses the file
			mistakes = append(mistakes, diag.Diagnostic{Code: infer.RuleBroken, Place: value.Place(), Message: "the key " + diag.QuoteShort(key) + " is given twice",
				Related: []diag.Related{{Place: at, Label: "first occurrence here"}}})
			return
		}
		first[key] = value.Place()
		if (key == "catalog" || key == "catalogs") && !value.IsMap() {
			mistakes = append(mistakes, value.Mistake(infer.RuleBroken, "a map"))
		}
	})
	list := file.Get("packages")
	items, isList := list.Items()
	if list.IsSet() && !isList {
		mistakes = append(mistakes, list.Mistake(infer.RuleBroken, "a list of folders"))
	}
	for _, item := range items {
		if text, isText := item.Text(); isText {
			s.globs = append(s.globs, glob{text, item.Place()})
		} else {
			mistakes = append(mistakes, item.Mistake(infer.RuleBroken, "a text"))
		}
	}
	if v, told := file.Get("linkWorkspacePackages").Text(); told {
		s.ranges = v != "false"
	}
	s.takeCatalogs(file)
	file.Get("overrides").Each(func(key string, value config.Foreign) {
		if spec, isText := value.Text(); isText {
			s.overrides = append(s.overrides, parseOverride(key, spec))
		}
	})
	return mistakes
}

func (s *settings) takeCatalogs(file config.Foreign) {
	take := func(catalog string, specs config.Foreign) {
		specs.Each(func(name string, value config.Foreign) {
			if spec, isText := value.Text(); isText {
				s.catalogs.set(catalog, name, spec)
			}
		})
	}
	take("", file.Get("catalog"))
	file.Get("catalogs").Each(take)
}

// settingsMax is how long a file of settings in YAML may be, in bytes: its reader takes a hundred times as long as that of manifests.
const settingsMax = 1 << 20

// readYAML reads a file of settings; there says whether there is one, be it empty or broken.
func readYAML(d *infer.Disk, name string) (top config.Foreign, there bool, mistakes diag.List) {
	t, bad := d.Manifest(name)
	switch {
	case bad != nil:
		return top, true, diag.List{*bad}
	case t == nil:
		return top, false, nil
	case len(t.Bytes) > settingsMax:
		return top, true, diag.List{{Code: infer.RuleBroken, Place: diag.Place{File: t.File()}, Message: "the file is larger than 1 MiB"}}
	}
	top, mistakes = config.ReadForeign(config.File{Name: t.File(), Text: t.Bytes, Rule: infer.RuleBroken})
	if top.IsSet() && !top.Each(func(string, config.Foreign) {}) {
		return config.Foreign{}, true, append(mistakes, top.Mistake(infer.RuleBroken, "a map"))
	}
	return top, true, mistakes
}
