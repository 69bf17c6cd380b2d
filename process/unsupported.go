//go:build !unix

package process

// Who builds haz for a system that it cannot run on reads this, and nothing else: whatever needs Unix imports this package, and is not
// looked at by the compiler any more.
const _ int = "haz needs a POSIX system (on Windows: WSL)"
