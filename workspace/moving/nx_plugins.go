package moving

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/node"
)

// Plugins of nx make targets of files that tools are configured by; some start the tool for that. Here the file alone tells: what is
// proposed is the command that the plugin starts, with the inputs and outputs that it gives it (AUX-040).

// nxPlugin is one of nx.json.
type nxPlugin struct {
	name             string
	options          *node.Value
	include, exclude []pattern.Pattern // of files; no include is all
}

// nxMaker makes the targets of a plugin for a project. file is the configuration that lies there.
type nxMaker struct {
	configs []string // the first that is there counts: names without what is behind the last dot, or whole
	targets func(n *nx, p *nxProject, g *nxPlugin, file string) []*nxTarget
}

// nxMakers are the plugins that are known. eslint is apart: its configuration lies above the project as well.
var nxMakers = map[string]nxMaker{
	"@nx/vite/plugin":       {[]string{"vite.config", "vitest.config"}, (*nx).viteTargets},
	"@nx/vitest":            {[]string{"vitest.config", "vite.config"}, (*nx).vitestTargets},
	"@nx/jest/plugin":       {[]string{"jest.config"}, (*nx).jestTargets},
	"@nx/js/typescript":     {[]string{"tsconfig.json"}, (*nx).tscTargets},
	"@nx/next/plugin":       {[]string{"next.config"}, (*nx).nextTargets},
	"@nx/webpack/plugin":    {[]string{"webpack.config"}, bundler("webpack-cli build", "webpack-cli serve", "serve", "")},
	"@nx/rspack/plugin":     {[]string{"rspack.config"}, bundler("rspack build", "rspack serve", "serve", "")},
	"@nx/rsbuild":           {[]string{"rsbuild.config"}, bundler("rsbuild build", "rsbuild dev", "dev", "rsbuild preview")},
	"@nx/rollup/plugin":     {[]string{"rollup.config"}, bundler("rollup -c", "", "", "")},
	"@nx/playwright/plugin": {[]string{"playwright.config"}, (*nx).playwrightTargets},
	"@nx/storybook/plugin":  {[]string{".storybook/main"}, (*nx).storybookTargets},
	"@nx/eslint/plugin":     {nil, (*nx).eslintTargets},
}

// nxWords is an object in the words of project.json.
type nxWords map[string]any

// pluginsOf reads the plugins of nx.json. What is proposed for them is said, once for each.
func (n *nx) pluginsOf(v *node.Value) {
	list, ok := v.Items()
	if !ok {
		n.bad(v.Mistake("a list"))
	}
	for _, one := range list {
		g := &nxPlugin{options: one.Get("options")}
		if g.name, ok = one.Text(); !ok {
			if g.name, ok = one.Get("plugin").Text(); !ok {
				n.bad(one.Mistake("a text, or an object with the text `plugin`"))
				continue
			}
		}
		for key, to := range map[string]*[]pattern.Pattern{"include": &g.include, "exclude": &g.exclude} {
			globs, _ := one.Get(key).Items()
			for _, glob := range globs {
				text, _ := glob.Text()
				if p, err := pattern.Parse("/" + braced(strings.TrimPrefix(text, "/"))); err == nil {
					*to = append(*to, p)
				}
			}
		}
		n.plugins = append(n.plugins, g)
		text := "targets that the plugin " + diag.Quote(g.name) + " makes do not carry over: nx show project NAME lists them"
		if maker, known := nxMakers[g.name]; known {
			from := strings.Join(maker.configs, ", ")
			if from == "" {
				from = "the settings of eslint"
			}
			text = "the plugin " + diag.Quote(g.name) + " makes targets when nx starts: what they are is taken from " + from + " here; nx show project NAME lists them"
		}
		n.draft.notes = append(n.draft.notes, note{one.Place(), text})
	}
}

// made are the targets that plugins make for a project.
func (n *nx) made(p *nxProject) (targets []*nxTarget) {
	for _, g := range n.plugins {
		maker, known := nxMakers[g.name]
		if !known || p.dir == "/" && n.infers {
			continue
		}
		file := ""
		for _, name := range maker.configs {
			if file == "" {
				file = n.configured(p.dir, name)
			}
		}
		if maker.configs == nil {
			file = path.Join(p.dir, "project.json")
		}
		if file != "" && g.reads(file) {
			targets = append(targets, maker.targets(n, p, g, file)...)
		}
	}
	return targets
}

// configured is the file of settings of a name in a folder; "" for none.
func (n *nx) configured(dir, name string) string {
	ends := []string{".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"}
	if path.Ext(name) == ".json" {
		ends = []string{""}
	}
	for _, end := range ends {
		if file := path.Join(dir, name+end); n.disk.Has(file) {
			return file
		}
	}
	return ""
}

// reads reports whether a plugin looks at a file.
func (g *nxPlugin) reads(file string) bool {
	is := func(p pattern.Pattern) bool { return p.Match(file) }
	return (len(g.include) == 0 || slices.ContainsFunc(g.include, is)) && !slices.ContainsFunc(g.exclude, is)
}

// called is the name that the options of a plugin give a target.
func (g *nxPlugin) called(option, name string) string {
	if text, ok := g.options.Get(option).Text(); ok && text != "" {
		return text
	}
	return name
}

// own is a target in the words of project.json.
func (n *nx) own(name, file string, w nxWords) *nxTarget {
	if w["options"] == nil {
		w["options"] = nxWords{"cwd": "{projectRoot}"}
	}
	text, err := json.Marshal(nxWords{"target": w})
	if err != nil {
		panic(err) // they are texts, lists and booleans
	}
	v, bad := node.ReadJSON(infer.NewText(file, string(text)))
	if bad != nil {
		panic(bad.Message)
	}
	var t *nxTarget
	for _, f := range v.Fields() {
		t = n.nxTarget(name, f)
		t.place = diag.Place{File: file[1:]}
	}
	return t
}

// production are the inputs that plugins give what builds.
func (n *nx) production(p *nxProject) []string {
	if n.set(p, "production") != nil {
		return []string{"production", "^production"}
	}
	return []string{"default", "^default"}
}

// tested are those that they give tests.
func (n *nx) tested(p *nxProject) []string {
	return []string{"default", n.production(p)[1]}
}

// folder is what a setting says that names a folder, by a text; otherwise as it is without one.
func (n *nx) folder(p *nxProject, text, setting, without string) string {
	if m := regexp.MustCompile(setting + `\s*:\s*["'` + "`" + `]([^"'` + "`$" + `\n]+)["'` + "`" + `]`).FindStringSubmatch(text); m != nil {
		if to := strings.Replace(m[1], "<rootDir>", ".", 1); !path.IsAbs(to) {
			return "{workspaceRoot}" + path.Join("/", p.dir, to)
		}
	}
	return without
}

func (n *nx) viteTargets(p *nxProject, g *nxPlugin, file string) (targets []*nxTarget) {
	text := string(n.disk.Source(file))
	build, lib := g.called("buildTargetName", "build"), strings.Contains(text, "lib:")
	if strings.HasPrefix(path.Base(file), "vite.") {
		if lib || strings.Contains(text, "input:") || n.disk.Has(path.Join(p.dir, "index.html")) {
			targets = append(targets, n.own(build, file, nxWords{"command": "vite build", "cache": true, "dependsOn": []string{"^" + build}, "inputs": n.production(p), "outputs": []string{n.folder(p, text, "outDir", "{projectRoot}/dist")}}))
		}
		if len(targets) > 0 && !lib {
			targets = append(targets, n.own(g.called("devTargetName", g.called("serveTargetName", "dev")), file, nxWords{"command": "vite", "continuous": true}),
				n.own(g.called("previewTargetName", "preview"), file, nxWords{"command": "vite preview", "continuous": true, "dependsOn": []string{build}}))
		}
	}
	if g.options.Get("typecheckTargetName") != nil || n.since(20, 0) {
		for _, name := range []string{"tsconfig.app.json", "tsconfig.lib.json", "tsconfig.json"} {
			if n.disk.Has(path.Join(p.dir, name)) {
				tsc := map[bool]string{true: "vue-tsc", false: "tsc"}[strings.Contains(text, "plugin-vue")]
				targets = append(targets, n.own(g.called("typecheckTargetName", "typecheck"), file, nxWords{"command": tsc + " --noEmit -p " + name, "cache": true, "inputs": n.production(p)}))
				break
			}
		}
	}
	if !slices.ContainsFunc(n.plugins, func(g *nxPlugin) bool { return g.name == "@nx/vitest" }) {
		targets = append(targets, n.vitestTargets(p, g, file)...)
	}
	return targets
}

func (n *nx) vitestTargets(p *nxProject, g *nxPlugin, file string) []*nxTarget {
	text := string(n.disk.Source(file))
	if strings.HasPrefix(path.Base(file), "vite.") && !strings.Contains(text, "test:") {
		return nil
	}
	return []*nxTarget{n.own(g.called("testTargetName", "test"), file, nxWords{"command": "vitest run", "cache": true, "inputs": n.tested(p), "outputs": []string{n.folder(p, text, "reportsDirectory", "{projectRoot}/coverage")}})}
}

func (n *nx) jestTargets(p *nxProject, g *nxPlugin, file string) []*nxTarget {
	text := string(n.disk.Source(file))
	if strings.Contains(text, "getJestProjects") {
		return nil
	}
	inputs := n.tested(p)
	for _, preset := range []string{"jest.preset.js", "jest.preset.cjs", "jest.preset.mjs"} {
		if n.disk.Has("/" + preset) {
			inputs = append(inputs, "{workspaceRoot}/"+preset)
		}
	}
	options := nxWords{"cwd": "{projectRoot}", "env": nxWords{"TS_NODE_COMPILER_OPTIONS": `{"moduleResolution":"node10","module":"commonjs","customConditions":null}`}}
	return []*nxTarget{n.own(g.called("targetName", "test"), file, nxWords{"command": "jest", "options": options, "cache": true, "inputs": inputs, "outputs": []string{n.folder(p, text, "coverageDirectory", "{projectRoot}/coverage")}})}
}

func (n *nx) nextTargets(p *nxProject, g *nxPlugin, file string) []*nxTarget {
	build := g.called("buildTargetName", "build")
	return []*nxTarget{
		n.own(build, file, nxWords{"command": "next build", "cache": true, "dependsOn": []string{"^" + build}, "inputs": n.production(p), "outputs": []string{"{projectRoot}/.next", "!{projectRoot}/.next/cache"}}),
		n.own(g.called("devTargetName", "dev"), file, nxWords{"command": "next dev", "continuous": true}),
		n.own(g.called("startTargetName", "start"), file, nxWords{"command": "next start", "continuous": true, "dependsOn": []string{build}}),
	}
}

func (n *nx) playwrightTargets(p *nxProject, g *nxPlugin, file string) []*nxTarget {
	return []*nxTarget{n.own(g.called("targetName", "e2e"), file, nxWords{"command": "playwright test", "cache": true, "inputs": n.tested(p), "outputs": []string{"{projectRoot}/test-results", "{projectRoot}/playwright-report"}})}
}

func (n *nx) storybookTargets(p *nxProject, g *nxPlugin, file string) []*nxTarget {
	return []*nxTarget{
		n.own(g.called("buildStorybookTargetName", "build-storybook"), file, nxWords{"command": "storybook build", "cache": true, "inputs": n.production(p), "outputs": []string{"{projectRoot}/storybook-static"}}),
		n.own(g.called("serveStorybookTargetName", "storybook"), file, nxWords{"command": "storybook dev", "continuous": true}),
	}
}

// bundler makes the targets of tools that build, serve and show what they built.
func bundler(build, serve, serveName, preview string) func(n *nx, p *nxProject, g *nxPlugin, file string) []*nxTarget {
	return func(n *nx, p *nxProject, g *nxPlugin, file string) []*nxTarget {
		name, text, command := g.called("buildTargetName", "build"), string(n.disk.Source(file)), build
		if strings.HasSuffix(build, " -c") {
			command += " " + path.Base(file)
		}
		outputs := []string{n.folder(p, text, "path", "")}
		if outputs[0] == "" {
			outputs = []string{"{projectRoot}/dist", "{workspaceRoot}/dist/{projectRoot}"}
		}
		targets := []*nxTarget{n.own(name, file, nxWords{"command": command, "cache": true, "dependsOn": []string{"^" + name}, "inputs": n.production(p), "outputs": outputs})}
		if serve != "" {
			targets = append(targets, n.own(g.called("devTargetName", g.called("serveTargetName", serveName)), file, nxWords{"command": serve, "continuous": true}))
		}
		if preview != "" {
			targets = append(targets, n.own(g.called("previewTargetName", "preview"), file, nxWords{"command": preview, "continuous": true, "dependsOn": []string{name}}))
		}
		return targets
	}
}
