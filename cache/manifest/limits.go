package manifest

// The limits of chapter 2, section 12, that concern what an entry says of itself.
const (
	// Revision is the chapter revision that keys carry, and manifests of which the contents are files of their own. RevisionPacked is that
	// of those behind which they lie (CACHE-037).
	Revision       = 4
	RevisionPacked = 5

	// What an entry may cost in memory is told by what it holds (7.6): whoever reads it, or restores it, needs some hundred bytes
	// for an output, some for a folder on the way to one, and each text several times.
	maxOutputs    = 1 << 17  // outputs of an entry
	maxPlaces     = 1 << 18  // outputs of an entry, and folders that they lie in
	maxTexts      = 16 << 20 // bytes of all paths and link texts of an entry, as the manifest spells them
	maxManifest   = 64 << 20 // bytes of a manifest: no entry within these limits has a longer one
	maxText       = 32 << 10 // bytes of one link text or task name, as the manifest spells it
	maxPath       = 16 << 10 // bytes of one path
	smallManifest = 1 << 20  // bytes up to which a manifest is read in one piece

	ManifestName  = "manifest.json"
	SiblingPrefix = ".haz-restore-" // of what restores stage beside targets on other devices; every pattern ignores such names
)
