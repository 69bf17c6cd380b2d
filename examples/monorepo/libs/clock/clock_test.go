package clock

import "testing"

func TestPart(t *testing.T) {
	for hour, want := range map[int]string{0: "morning", 11: "morning", 12: "evening", 23: "evening"} {
		if got := Part(hour); got != want {
			t.Errorf("Part(%d) = %q, want %q", hour, got, want)
		}
	}
}
