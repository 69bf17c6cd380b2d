package haz

import (
	"context"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/load"
)

// Reports of the cache commands.
type (
	CacheInfo    = cache.InfoReport
	CleanOptions = cache.CleanOptions
	CleanReport  = cache.CleanReport
)

// ErrNoCleanMode says that neither the options nor the workspace say what to clean (AUX-022).
var ErrNoCleanMode = cache.ErrNoCleanMode

// OpenCache finds the workspace of a directory and reads its settings only: a mistake in some project must not keep anyone
// from freeing disk space. Close it.
func OpenCache(ctx context.Context, dir string, opts ...Option) (*Cache, error) {
	o, err := openHost(ctx, dir, opts)
	if err != nil {
		return nil, err
	}
	ws, root, err := load.Workspace(ctx, o.host, dir, load.Options{SettingsOnly: true, Stranger: o.stranger()})
	if err != nil {
		return nil, err
	}
	placed, err := o.place(ws, root)
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	fn, _ := digest.ParseFunction(ws.Settings.Hash)
	store := cache.Open(placed, cache.Options{Hash: fn, State: state.Open(placed, fn), Now: o.clock.Now})
	return &Cache{settings: ws.Settings, store: store, close: root.Close}, nil
}

// Cache is the cache of a workspace.
type Cache struct {
	settings workspace.Settings
	store    *cache.Store
	close    func() error
}

// Close gives handles back.
func (c *Cache) Close() error {
	if c == nil || c.store == nil {
		return nil
	}
	_ = c.store.Close()
	return c.close()
}

// Clear removes all of it (CACHE-021).
func (c *Cache) Clear(ctx context.Context) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	return c.store.Clear(ctx)
}

// Info counts what is in it and changes nothing (AUX-017).
func (c *Cache) Info(ctx context.Context) (*CacheInfo, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	return c.store.Info(ctx)
}

// Clean removes what the options name; modes that they leave open come from the settings of the workspace (AUX-025).
func (c *Cache) Clean(ctx context.Context, o CleanOptions) (*CleanReport, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	if o.MaxAge == nil {
		o.MaxAge = c.settings.MaxAge
	}
	if o.MaxSize == nil {
		o.MaxSize = c.settings.MaxSize
	}
	return c.store.Clean(ctx, o)
}
