package greet

import "testing"

func TestGreet(t *testing.T) {
	got, err := Greet("de", "morning", "Ada")
	if err != nil || got != "Guten Morgen, Ada!" {
		t.Errorf("Greet = %q, %v", got, err)
	}
}
