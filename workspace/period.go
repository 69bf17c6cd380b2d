package workspace

import (
	"cmp"
	"fmt"
	"time"
)

// NoTimeout is the timeout of a task that says it has none (`timeout: 0s`), whatever the run says.
const NoTimeout time.Duration = -1

// Period spells a time as the files do (haz::cfg::080), the largest unit first: 10m, 1m30s, 500ms. What is finer is left out.
func Period(d time.Duration) string {
	text := ""
	for _, u := range []struct {
		name string
		size time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}} {
		if n := d / u.size; n > 0 {
			text += fmt.Sprint(int64(n), u.name)
		}
		d %= u.size
	}
	return cmp.Or(text, "0s")
}
