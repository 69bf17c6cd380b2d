package fsys

// Host opens a directory of the real machine ("/" for all of it) as a file system.
func Host(dir string) (FS, error) { panic("contract") }

// Memory makes an empty file system in memory with POSIX behaviour, its own clock and inode numbers.
func Memory() *MemFS { panic("contract") }

// MemFS is the strict in-memory implementation.
type MemFS struct{ FS }
