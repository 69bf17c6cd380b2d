package catalog

import "testing"

func TestGreeting(t *testing.T) {
	if s, ok := Greeting("en"); !ok || s == "" {
		t.Errorf("Greeting(en) = %q, %v", s, ok)
	}
	if _, ok := Greeting("tlh"); ok {
		t.Error("an unknown language is known")
	}
}
