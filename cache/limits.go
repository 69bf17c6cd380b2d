package cache

import "time"

// The limits of chapter 2, section 12, that concern the cache, and the names of section 7.1, in one place.
const (
	// Revision is the chapter revision that keys and manifests carry.
	Revision = 2

	maxManifest     = 512 << 20 // bytes of a manifest
	maxOutputs      = 1_000_000 // outputs of an entry
	maxText         = 32 << 10  // bytes of one link text or task name, as the manifest spells it
	maxPath         = 16 << 10  // bytes of one path
	maxDamaged      = 16        // entries that .damaged keeps
	streamMemory    = 64 << 10  // bytes of a stream that are held in memory
	usedRefresh     = time.Hour // how often `used` is touched
	sweepEvery      = time.Hour // how often leftovers are looked for
	sweepBudget     = 100 * time.Millisecond
	smallManifest   = 1 << 20   // bytes up to which a manifest is read in one piece
	chunk           = 256 << 10 // bytes copied between two looks at the context
	maxPublishTries = 4         // how often a publish makes room for itself before it gives up

	cacheDir = "/.haz/cache"
	stateDir = "/.haz/state"

	manifestName = "manifest.json"
	stdoutName   = "stdout"
	stderrName   = "stderr"
	outputsName  = "outputs"
	usedName     = "used"
	lockName     = "lock"
	ignoreName   = ".gitignore"
	reasonName   = "reason"
	damagedName  = ".damaged"
	tmpPrefix    = ".tmp-"
	trashPrefix  = ".trash-"

	restorePrefix = "restore-"      // in state: a restore in progress
	siblingPrefix = ".haz-restore-" // beside targets on other devices; every pattern ignores such names
	clearedPrefix = "trash-"        // in state: a cleared cache on its way out
	placesName    = "places"        // in a restore's staging: where it staged elsewhere
	sweptName     = "swept"         // in state: its mtime is the time of the last sweep

	dirPerm  = 0o700 // S-13
	filePerm = 0o600
	blobPerm = 0o400
)
