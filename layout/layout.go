// Package layout names what lies in a workspace under .haz, as paths from the root of the workspace. Whoever else reads or writes there
// takes the names from here; what a room keeps to itself inside of its own folder it names itself.
package layout

const (
	Name          = ".haz"     // makes a folder the root of a workspace
	Dir           = "/" + Name // as a path
	WorkspaceFile = Dir + "/workspace.yml"
	TasksDir      = Dir + "/tasks" // task files that projects inherit
	CacheDir      = Dir + "/cache" // entries
	StateDir      = Dir + "/state" // all else that haz keeps

	ProjectFile = "haz.yml" // not under .haz: in the folder of each project
)
