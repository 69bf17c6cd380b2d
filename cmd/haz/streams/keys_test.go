package streams

import "testing"

// Keys that send more than one byte are none of ours.
func TestPlainKeys(t *testing.T) {
	for typed, want := range map[string]string{
		"": "", "r": "r", "rp": "rp", "\x1b[A": "", "\x1b[Ar": "r", "\x1bOqr": "r", "\x1b[1;5Dq\x1b[15~a": "qa", "\x1b": "", "\x1b[": "", "\x1bO": "", "\x1brp": "p", "\x1b[1": "",
	} {
		if got := string(plainKeys([]byte(typed))); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}
