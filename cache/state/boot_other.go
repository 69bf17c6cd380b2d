//go:build !linux

package state

// bootID is not known here: the index outlives a power cut.
func bootID() string { return "" }

// Program is not known here: what tasks stand on is not written down.
func Program() string { return "" }
