package node

import "github.com/haz-build/haz/workspace/infer"

// Manager is the package manager of the workspace: "npm", "pnpm", "yarn" or "bun".
func Manager(d *infer.Disk) string {
	root, _ := readManifest(d, "/")
	m, _ := managerOf(d, root, d.Has(pnpmFile))
	switch m {
	case pnpm:
		return "pnpm"
	case yarn, classic:
		return "yarn"
	case bun:
		return "bun"
	}
	return "npm"
}

// LockFiles are those that hold which versions are installed, in the root of the workspace: workspace-absolute names of those that are
// there.
func LockFiles(d *infer.Disk) (names []string) {
	for _, name := range []string{"/bun.lock", "/bun.lockb", "/npm-shrinkwrap.json", "/package-lock.json", "/pnpm-lock.yaml", "/yarn.lock"} {
		if d.Has(name) {
			names = append(names, name)
		}
	}
	return names
}
