package workspace

// Lock is a lock file of a package manager, and the projects whose packages it pins. Tasks whose inputs have $lock share it.
type Lock struct {
	File    string   // what it is called, workspace-absolute
	Files   []string // those that are read, one behind the other; they may not be there
	Members []LockMember
	Places  map[string]int // of members, by the folder of the project
}

// LockMember is a project that a lock file is about.
type LockMember struct {
	Dir, Name string
	Needs     []LockNeed // what its manifest asks for, where the lock file may not say it
	Uses      []int      // the members that it uses
	Above     []int      // those whose packages it gets at as well, since they lie in folders above it
	Untold    bool       // what it reaches cannot be told from the lock file and Needs
	Free      bool       // it needs nothing from elsewhere, so that there may be no lock file
}

// LockNeed is a package that a manifest asks for.
type LockNeed struct {
	Name, Spec string
	Dev        bool // those who use the member do not need it
}
