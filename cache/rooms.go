package cache

import (
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/housekeeping"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/restore"
	"github.com/haz-build/haz/cache/store"
)

// What the rooms take and give, under one name for who calls a Store.
type (
	Manifest    = manifest.Manifest
	Root        = manifest.Root
	StreamOrder = manifest.StreamOrder

	StoreRequest = store.StoreRequest
	Staged       = store.Staged
	Stream       = store.Stream
	RestoreError = store.RestoreError

	Target   = restore.Target
	Work     = restore.Work
	Restored = restore.Restored
	Taken    = restore.Taken
	Kept     = restore.Kept

	CleanOptions = housekeeping.CleanOptions
	CleanReport  = housekeeping.CleanReport
	CleanItem    = housekeeping.CleanItem
	InfoReport   = housekeeping.InfoReport
	SweepOptions = housekeeping.SweepOptions
	SweepReport  = housekeeping.SweepReport
)

// PlacesOf are where the entry of a key lies, and the folder of entries that this is in, in the workspace.
func PlacesOf(k digest.Digest) (dir, shard string) { return store.Places(k) }

// Errors that callers look for.
var (
	ErrReadOnly    = store.ErrReadOnly
	ErrNoCleanMode = housekeeping.ErrNoCleanMode
)
