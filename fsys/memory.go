package fsys

import (
	"io/fs"
	"os"

	"github.com/spf13/afero"
	"github.com/spf13/afero/mem"
)

// MemFS is an AferoFS in memory.
type MemFS = AferoFS

// Memory makes an empty file system in memory: names, bytes, modes and links. It is FromAfero of afero's own, with links. What tests
// need beside (times that are set, second names, power cuts, mapped files) package memfs has.
func Memory() *MemFS { return FromAfero(linkedMem{&afero.MemMapFs{}}) }

// linkedMem is afero's file system in memory with links: files whose mode says so, and whose bytes are the text. They are followed by
// AferoFS.
type linkedMem struct{ *afero.MemMapFs }

var _ afero.Symlinker = linkedMem{}

func (m linkedMem) LstatIfPossible(name string) (os.FileInfo, bool, error) {
	info, err := m.Stat(name)
	return info, true, err
}

func (m linkedMem) SymlinkIfPossible(text, name string) error {
	f, err := m.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o777)
	if err != nil {
		return err
	}
	defer f.Close()
	mem.SetMode(f.(*mem.File).Data(), fs.ModeSymlink|0o777)
	_, err = f.WriteString(text)
	return err
}

func (m linkedMem) ReadlinkIfPossible(name string) (string, error) {
	text, err := afero.ReadFile(m.MemMapFs, name)
	return string(text), err
}
