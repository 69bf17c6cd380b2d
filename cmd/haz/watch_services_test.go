//go:build linux

package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Services go on between the runs of a watch: they are started again when their own inputs change, and end with the watch (EXEC-082).
func TestWatchServices(t *testing.T) {
	w := startWatchOf(t, `name: p
tasks:
  db:
    shell: "echo start >> starts; trap 'echo stop >> starts; exit 0' TERM; echo up; while :; do sleep 0.02; done"
    inputs: ["db/*"]
    service: {ready: {output: up}}
  t: {shell: "cat src/a", inputs: ["src/**"], deps: ["~:db"]}
`, "p:t")
	starts := func(want string) {
		t.Helper()
		var got string
		if !eventually(10*time.Second, func() bool {
			text, _ := os.ReadFile(w.at("p/starts"))
			got = strings.Join(strings.Fields(string(text)), " ")
			return got == want
		}) {
			t.Fatalf("%q, want %q; stderr:\n%s", got, want, w.said())
		}
	}
	starts("start")
	if n := w.count("kept after"); n != 1 {
		t.Errorf("it was kept %d times; stderr:\n%s", n, w.said())
	}
	mustWrite(t, w.at("p/src/a"), "second\n")
	w.runs(2)
	w.printed("second")
	starts("start")
	mustWrite(t, w.at("p/db/rows"), "rows\n")
	w.runs(3)
	starts("start stop start")
	w.leaves()
	starts("start stop start stop")
}
