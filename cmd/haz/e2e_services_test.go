//go:build linux

package main

import (
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Whenever haz is killed with SIGKILL, two seconds later nothing is left of services and of those that use them: HAZ_LONG=1 tries 200 moments.
func TestKilledBesideServices(t *testing.T) {
	moments := 8
	if long() {
		moments = 200
	}
	root := t.TempDir()
	for name, text := range map[string]string{
		".haz/workspace.yml": "projects: [/p]\ndefaults: {env: {pass: [" + markVariable + "]}}\n",
		"p/haz.yml": `name: p
tasks:
  db: {shell: "sleep 300 & sleep 0.1; echo up; wait", service: {port: auto, ready: {output: up}, exports: {DB: "${HAZ_PORT}"}}}
  api: {shell: "sleep 0.1; echo up; sleep 300; true", service: {ready: {output: up}}, deps: ["~:db"]}
  test: {shell: "sleep 300", cache: false, deps: ["~:api", "~:db"]}
`} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	program, seed := realHaz(t), time.Now().UnixNano()
	rng, met := rand.New(rand.NewSource(seed)), 0
	for n := range moments {
		mark := fmt.Sprintf("services-%d-%d", os.Getpid(), n)
		c := exec.Command(program, "-C", root, "run", "p:test")
		c.Env = append(os.Environ(), markVariable+"="+mark)
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rng.Intn(700)) * time.Millisecond)
		met += max(0, len(marked(mark))-1)
		_ = c.Process.Kill()
		_ = c.Wait()
		end := time.Now().Add(2*time.Second + slack)
		for len(marked(mark)) > 0 && time.Now().Before(end) {
			time.Sleep(10 * time.Millisecond)
		}
		if left := marked(mark); len(left) > 0 {
			t.Fatalf("seed %d, moment %d: left over: %v", seed, n, left)
		}
	}
	if met == 0 {
		t.Errorf("seed %d: in none of %d moments anything ran", seed, moments)
	}
}
