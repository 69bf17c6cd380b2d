package moving

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/workspace/infer/node"
)

// eslintSettings are the names of files that eslint is configured by: those of today, and the older ones.
var (
	eslintFlat  = []string{"eslint.config.js", "eslint.config.cjs", "eslint.config.mjs", "eslint.config.ts", "eslint.config.cts", "eslint.config.mts"}
	eslintOlder = []string{".eslintrc", ".eslintrc.js", ".eslintrc.cjs", ".eslintrc.yaml", ".eslintrc.yml", ".eslintrc.json"}
)

// eslintTargets lint a project with sources, if it, or a folder above it, has settings.
func (n *nx) eslintTargets(p *nxProject, g *nxPlugin, file string) []*nxTarget {
	if p.dir == "/" {
		return nil
	}
	inputs, flat, found := []string{"default", "^default"}, false, false
	for dir := p.dir; ; dir = path.Dir(dir) {
		for _, name := range slices.Concat(eslintFlat, eslintOlder) {
			if n.disk.Has(path.Join(dir, name)) {
				flat = flat || slices.Contains(eslintFlat, name)
				found = true
				inputs = append(inputs, "{workspaceRoot}"+path.Join(dir, name))
			}
		}
		if dir == "/" {
			break
		}
	}
	at, _ := slices.BinarySearch(n.files(), p.dir+"/")
	sources := slices.ContainsFunc(n.files()[at:], func(name string) bool {
		return strings.HasPrefix(name, p.dir+"/") && slices.Contains([]string{".ts", ".tsx", ".js", ".jsx", ".html", ".vue"}, path.Ext(name))
	})
	if !found || !sources {
		return nil
	}
	options := nxWords{"cwd": "{projectRoot}"}
	if now := n.major("eslint") != 8; now != flat {
		options["env"] = nxWords{"ESLINT_USE_FLAT_CONFIG": map[bool]string{true: "true", false: "false"}[flat]}
	}
	return []*nxTarget{n.own(g.called("targetName", "lint"), file, nxWords{"command": "eslint .", "options": options, "cache": true, "inputs": append(inputs, "{workspaceRoot}/tools/eslint-rules/**/*"), "outputs": []string{"{options.outputFile}"}})}
}

// major is the major version of a package that the root asks for; 0 where nothing tells.
func (n *nx) major(name string) int {
	manifest := n.json("/package.json")
	for _, list := range []string{"devDependencies", "dependencies"} {
		text, _ := manifest.Get(list).Get(name).Text()
		if has := numbers(text); len(has) > 0 {
			return has[0]
		}
	}
	return 0
}

// tscTargets check types with tsc --build, and build what a tsconfig for that says.
func (n *nx) tscTargets(p *nxProject, g *nxPlugin, file string) (targets []*nxTarget) {
	if p.dir == "/" || n.configured(p.dir, "next.config") != "" {
		return nil
	}
	compiler := g.called("compiler", "tsc")
	settings := []string{"{projectRoot}/tsconfig*.json"}
	if n.disk.Has("/tsconfig.base.json") {
		settings = append(settings, "{workspaceRoot}/tsconfig.base.json")
	}
	name, config := tscOptions(g.options.Get("build"), "build", "tsconfig.lib.json")
	builds := g.options.Get("build") != nil && name != "" && n.disk.Has(path.Join(p.dir, config)) && n.ships(p)
	if builds {
		t := n.tsconfig(path.Join(p.dir, config), 0)
		targets = append(targets, n.own(name, file, nxWords{"command": compiler + " --build " + config, "cache": true, "dependsOn": []string{"^" + name}, "inputs": append(n.production(p)[:1], settings...), "outputs": t.outputs("")}))
	}
	check, config := tscOptions(g.options.Get("typecheck"), "typecheck", "tsconfig.json")
	t := n.tsconfig(path.Join(p.dir, config), 0)
	if check == "" || t.noEmit {
		return targets
	}
	needs := []string{"^" + check}
	if builds {
		needs = append([]string{name}, needs...)
	}
	return append(targets, n.own(check, file, nxWords{"command": compiler + " --build --emitDeclarationOnly", "cache": true, "dependsOn": needs, "inputs": append([]string{"default"}, settings...), "outputs": t.outputs("/**/*.d.ts")}))
}

// tscOptions are the name of a target, and its tsconfig; "" where it is turned off.
func tscOptions(v *node.Value, name, config string) (string, string) {
	if is, ok := v.Bool(); ok && !is {
		return "", ""
	}
	if text, ok := v.Get("targetName").Text(); ok {
		name = text
	}
	if text, ok := v.Get("configName").Text(); ok {
		config = text
	}
	return name, config
}

// ships reports whether a package is built for those who use it: what its manifest gives them is not the source itself.
func (n *nx) ships(p *nxProject) bool {
	manifest := n.json(path.Join(p.dir, "package.json"))
	var sources, made int
	var look func(v *node.Value)
	look = func(v *node.Value) {
		if text, ok := v.Text(); ok {
			if is := strings.HasSuffix(text, ".d.ts") || strings.HasSuffix(text, ".d.mts") || strings.HasSuffix(text, ".d.cts"); !is && nxSources[path.Ext(text)] && strings.Contains(path.Ext(text), "t") {
				sources++
			} else if text != "./package.json" {
				made++
			}
		}
		for _, f := range v.Fields() {
			look(f.Value)
		}
	}
	for _, key := range []string{"exports", "main", "module", "types"} {
		look(manifest.Get(key))
	}
	return manifest != nil && (made > 0 || sources == 0)
}

// tsconfig is what a tsconfig, with those that it extends and those of its project that it refers to, says of what tsc makes.
type tsconfig struct {
	folders, infos []string // from the root of the workspace
	noEmit         bool
}

// outputs are what tsc --build makes.
func (t *tsconfig) outputs(behind string) []string {
	list := []string{}
	for _, dir := range unique(t.folders) {
		list = append(list, "{workspaceRoot}"+dir+behind)
		if behind != "" {
			list = append(list, "{workspaceRoot}"+dir+behind+".map", "{workspaceRoot}"+dir+"/**/*.tsbuildinfo")
		}
	}
	for _, file := range unique(t.infos) {
		list = append(list, "{workspaceRoot}"+file)
	}
	return list
}

// tsconfig reads one. depth ends what goes in a circle.
func (n *nx) tsconfig(file string, depth int) *tsconfig {
	t := &tsconfig{}
	v, dir := n.settingsOf(file), path.Dir(file)
	if v == nil || depth > 10 {
		return t
	}
	if to := n.option(dir, file, v, "outDir", 0); to != "" {
		t.folders = append(t.folders, to)
	}
	if to := n.option(dir, file, v, "tsBuildInfoFile", 0); to != "" {
		t.infos = append(t.infos, to)
	}
	t.noEmit, _ = v.Get("compilerOptions").Get("noEmit").Bool()
	list, _ := v.Get("references").Items()
	for _, r := range list {
		text, _ := r.Get("path").Text()
		to := path.Join(dir, text)
		if path.Ext(to) != ".json" {
			to = path.Join(to, "tsconfig.json")
		}
		if path.Dir(to) == dir && to != file {
			more := n.tsconfig(to, depth+1)
			t.folders, t.infos, t.noEmit = append(t.folders, more.folders...), append(t.infos, more.infos...), t.noEmit || more.noEmit
		}
	}
	return t
}

// option is the path that a tsconfig of a folder, or one that it extends, has for an option.
func (n *nx) option(of, file string, v *node.Value, name string, depth int) string {
	if text, ok := v.Get("compilerOptions").Get(name).Text(); ok {
		if below, ok := strings.CutPrefix(text, "${configDir}"); ok {
			return path.Join(of, below)
		}
		return path.Join(path.Dir(file), text)
	}
	if text, ok := v.Get("extends").Text(); ok && strings.HasPrefix(text, ".") && depth < 10 {
		base := path.Join(path.Dir(file), text)
		if path.Ext(base) != ".json" {
			base += ".json"
		}
		if more := n.settingsOf(base); more != nil {
			return n.option(of, base, more, name, depth+1)
		}
	}
	return ""
}

// settingsOf is a file of JSON that is no affair of nx: what is wrong with it is told by whose it is.
func (n *nx) settingsOf(file string) *node.Value {
	t, _ := n.disk.Manifest(file)
	if t == nil {
		return nil
	}
	v, _ := node.ReadJSON(t)
	return v
}
