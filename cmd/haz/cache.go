package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
)

func cacheCommand() *command {
	return &command{Command: cli.Command{Name: "cache", Usage: "look at the cache, or make it smaller"}, subs: []*command{
		{Command: cli.Command{Name: "clear", Usage: "remove the whole cache",
			Description: "Removes everything in the cache of this workspace. Running tasks are not harmed: they just store nothing.",
		}, noArgs: true, do: doCacheClear},
		{Command: cli.Command{Name: "info", Usage: "say what is in the cache",
			Description: "Counts what is in the cache of this workspace, and changes nothing.",
			Flags: []cli.Flag{
				formatOption("plain (default) or json", "plain", "json"),
			},
		}, noArgs: true, do: doCacheInfo},
		{Command: cli.Command{Name: "clean", Usage: "remove damaged, old or surplus entries",
			Description: paragraphs(
				"Removes entries by the modes given, in the order of the options below. Modes that are not given come from `cache.clean` of the workspace file.",
				"DURATION is numbers with a unit s, m, h, d or w, like 90d or 7d12h. BYTES is a number with a unit KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024) or none.",
			),
			Flags: []cli.Flag{
				toggle("soft", "damaged entries, and what crashed runs have left behind"),
				readBy(text("max-age", "DURATION", "good entries older than that"), readDuration),
				readBy(text("max-size", "BYTES", "the entries unused for longest, until the rest is no larger than that"), readSize),
				toggle("dry-run", "say what would be removed, and remove nothing"),
			},
			UsageText: lines("haz cache clean --soft", "haz cache clean --max-age 4w --max-size 5GiB --dry-run"),
		}, noArgs: true, do: doCacheClean},
	}}
}

func (v *invocation) openCache() (*haz.Cache, error) {
	if err := v.placed(); err != nil {
		return nil, err
	}
	return haz.OpenCache(v.ctx, v.dir, v.hostOptions()...)
}

// doCacheClear is `haz cache clear`.
func doCacheClear(v *invocation) error {
	c, err := v.openCache()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Clear(v.ctx); err != nil {
		return err
	}
	v.out.Print("cache cleared.\n")
	return nil
}

// doCacheInfo is `haz cache info`.
func doCacheInfo(v *invocation) error {
	c, err := v.openCache()
	if err != nil {
		return err
	}
	defer c.Close()
	info, err := c.Info(v.ctx)
	if err != nil {
		return err
	}
	if v.value("format") == "json" {
		v.printJSON(infoJSON(info))
		return nil
	}
	v.out.Print(infoText(info, v.has("verbose")))
	return nil
}

// infoText is the report of chapter 3, 8.2; labels and order are frozen.
func infoText(i *haz.CacheInfo, verbose bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "cache root: %s\n", diag.Escape(i.Root))
	fmt.Fprintf(&b, "well-formed entries: %d\n", i.WellFormed)
	fmt.Fprintf(&b, "corrupt entries: %d\n", i.Corrupt)
	if verbose {
		for _, r := range i.Reasons {
			fmt.Fprintf(&b, "  %s: %d\n", diag.Escape(r.Reason), r.Entries)
		}
	}
	fmt.Fprintf(&b, "orphan tmp directories: %d\n", i.TmpDirs)
	fmt.Fprintf(&b, "orphan restore directories: %d\n", i.RestoreDirs)
	fmt.Fprintf(&b, "total bytes: %d\n", i.Bytes)
	if len(i.BySchema) > 0 {
		b.WriteString("by schema:\n")
		for _, s := range i.BySchema {
			fmt.Fprintf(&b, "  (revision=%d, hash=%s): %d\n", s.Revision, s.Hash, s.Entries)
		}
	}
	b.WriteString(displacedText(i))
	return b.String()
}

// displacedText lists what gave way to outputs; "" when nothing did.
func displacedText(i *haz.CacheInfo) string {
	if len(i.Displaced) == 0 {
		return ""
	}
	var lines strings.Builder
	bytes := int64(0)
	for _, k := range i.Displaced {
		bytes += k.Bytes
		fmt.Fprintf(&lines, "  %s  %s  %s  %d  %s\n", k.Time.Format(time.RFC3339), k.Task, diag.Escape(k.Path), k.Bytes, diag.Escape(k.Host))
	}
	return fmt.Sprintf("displaced files: %d (%d bytes)\n%s", len(i.Displaced), bytes, lines.String())
}

func infoJSON(i *haz.CacheInfo) any {
	type displaced struct {
		Task  string `json:"task"`
		Path  string `json:"path"`
		Time  string `json:"time"`
		Bytes int64  `json:"bytes"`
		Host  string `json:"kept_in"`
	}
	type schema struct {
		Revision int    `json:"revision"`
		Hash     string `json:"hash"`
		Entries  int    `json:"entries"`
	}
	doc := struct {
		Root        string      `json:"cache_root"`
		WellFormed  int         `json:"well_formed_entries"`
		Corrupt     int         `json:"corrupt_entries"`
		TmpDirs     int         `json:"orphan_tmp_directories"`
		RestoreDirs int         `json:"orphan_restore_directories"`
		Bytes       int64       `json:"total_bytes"`
		BySchema    []schema    `json:"by_schema"`
		Displaced   []displaced `json:"displaced,omitempty"`
	}{i.Root, i.WellFormed, i.Corrupt, i.TmpDirs, i.RestoreDirs, i.Bytes, []schema{}, nil}
	for _, k := range i.Displaced {
		doc.Displaced = append(doc.Displaced, displaced{k.Task, k.Path, k.Time.Format(time.RFC3339), k.Bytes, k.Host})
	}
	for _, s := range i.BySchema {
		doc.BySchema = append(doc.BySchema, schema{s.Revision, s.Hash.String(), s.Entries})
	}
	return doc
}

// doCacheClean is `haz cache clean`.
func doCacheClean(v *invocation) error {
	o := haz.CleanOptions{Soft: v.has("soft"), DryRun: v.has("dry-run")}
	if v.has("max-age") {
		d := read[time.Duration](v, "max-age")
		o.MaxAge = &d
	}
	if v.has("max-size") {
		n := read[int64](v, "max-size")
		o.MaxSize = &n
	}
	c, err := v.openCache()
	if err != nil {
		return err
	}
	defer c.Close()
	r, err := c.Clean(v.ctx, o)
	if errors.Is(err, haz.ErrNoCleanMode) {
		return &diag.Errors{List: diag.List{{Code: "AUX-022", Message: "at least one mode is needed: --soft, --max-age or --max-size",
			Hint: "cache.clean.max_age and cache.clean.max_size of .haz/workspace.yml are used when no option is given"}}}
	}
	if err != nil {
		return err
	}
	v.out.Print(cleanText(r))
	if len(r.Failures) == 0 {
		return nil
	}
	v.out.Flush()
	for _, f := range r.Failures {
		v.tell(fmt.Sprintf("cache clean: failed to remove cache entry at: %s: %s\n", diag.Escape(f.Path), diag.Escape(f.Err.Error())))
	}
	return exit(2)
}

// cleanText is the report of chapter 3, 8.3; labels and order are frozen.
func cleanText(r *haz.CleanReport) string {
	var b strings.Builder
	evicted, removed, bytes := "evicted", "removed", "bytes reclaimed"
	if r.DryRun {
		evicted, removed, bytes = "would evict", "noted", "bytes projected"
		b.WriteString("dry-run: AUX-024 plan only, nothing is removed\n")
	}
	fmt.Fprintf(&b, "entries inspected: %d\n", r.Inspected)
	for pass, mode := range []string{"--soft", "--max-age", "--max-size"} {
		fmt.Fprintf(&b, "%s %s: %d\n", evicted, mode, r.Evicted[pass])
	}
	fmt.Fprintf(&b, "orphan tmp directories %s: %d\n", removed, r.TmpDirs)
	fmt.Fprintf(&b, "orphan restore directories %s: %d\n", removed, r.RestoreDirs)
	fmt.Fprintf(&b, "%s: %d\n", bytes, r.Bytes)
	if r.DryRun && len(r.Items) > 0 {
		b.WriteString("dry-run plan:\n")
		for _, i := range r.Items {
			fmt.Fprintf(&b, "  %s created_at=%d footprint=%d mode=%s\n", diag.Escape(i.Short()), i.CreatedAt, i.Footprint, i.Pass)
		}
	}
	return b.String()
}
