package site

// Names of section 7.1 and of what lies beside the cache, and limits that all rooms share.
const (
	maxDamaged = 16        // entries that .damaged keeps
	chunk      = 256 << 10 // bytes copied between two looks at the context

	StdoutName  = "stdout"
	StderrName  = "stderr"
	OutputsName = "outputs"
	UsedName    = "used"
	LockName    = "lock"
	IgnoreName  = ".gitignore"
	reasonName  = "reason"
	DamagedName = ".damaged"
	TmpPrefix   = ".tmp-"
	TrashPrefix = ".trash-"

	restorePrefix = "restore-" // in state: a restore in progress
	ClearedPrefix = "trash-"   // in state: a cleared cache on its way out
	PlacesName    = "places"   // in a restore's staging: where it staged elsewhere

	DirPerm  = 0o700 // S-13
	FilePerm = 0o600
	BlobPerm = 0o400
)
