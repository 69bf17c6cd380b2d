package cache

import "time"

// The limits of chapter 2, section 12, that concern the cache, and the names of section 7.1, in one place.
const (
	// Revision is the chapter revision that keys and manifests carry.
	Revision = 2

	// What an entry may cost in memory is told by what it holds (7.6): whoever reads it, or restores it, needs some hundred bytes
	// for an output, some for a folder on the way to one, and each text several times.
	maxOutputs      = 1 << 17   // outputs of an entry
	maxPlaces       = 1 << 18   // outputs of an entry, and folders that they lie in
	maxTexts        = 16 << 20  // bytes of all paths and link texts of an entry, as the manifest spells them
	maxManifest     = 64 << 20  // bytes of a manifest: no entry within these limits has a longer one
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
