package haz

import (
	"context"

	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/workspace/load"
)

// liveDir is where runs under way are found by other programs of their owner. What lies there, and in which form, is the program's business.
const liveDir = layout.StateDir + "/live"

// MakeLiveDir makes and opens the folder in which runs of the workspace that are under way can be found. Only its owner can enter it. Close it.
func (w *Workspace) MakeLiveDir() (fsys.FS, error) {
	if err := state.MakeDir(w.FS, layout.StateDir); err != nil {
		return nil, err
	}
	err := w.FS.Mkdir(liveDir, 0o700)
	if err != nil {
		err = w.FS.Chmod(liveDir, 0o700) // it is there
	}
	if err != nil {
		return nil, err
	}
	return w.FS.Sub(liveDir)
}

// OpenLiveDir opens that folder of the workspace in which a directory lies, of which it reads the settings only; nil where there is none. Close it.
func OpenLiveDir(ctx context.Context, dir string, opts ...Option) (fsys.FS, error) {
	o, err := openHost(ctx, dir, opts)
	if err != nil {
		return nil, err
	}
	ws, root, err := load.Workspace(ctx, o.host, dir, load.Options{SettingsOnly: true, Stranger: o.stranger()})
	if err != nil {
		return nil, err
	}
	defer root.Close()
	placed, err := o.place(ws, root)
	if err != nil {
		return nil, err
	}
	if _, err := placed.Lstat(liveDir); err != nil {
		return nil, nil
	}
	return placed.Sub(liveDir)
}
