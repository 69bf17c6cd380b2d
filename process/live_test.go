//go:build linux

package process_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/haz-build/haz/process"
)

// S-14: bytes are there while the process runs, not when it has ended. It goes on only after they were seen.
func TestOutputComesWhileRunning(t *testing.T) {
	s := open(t, quick)
	dir := t.TempDir()
	p, r := start(t, s, shell(dir, `echo first; until [ -e go ]; do sleep 0.01; done; echo second >&2`))
	defer p.Kill()
	eventually(t, "the first line is there", func() bool { return r.Text(process.Stdout) == "first\n" })
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if e := p.Wait(); e.Code != 0 || e.Incomplete != "" {
		t.Errorf("exit %+v", e)
	}
	if text := r.Text(process.Stderr); text != "second\n" {
		t.Errorf("stderr: %q", text)
	}
}
