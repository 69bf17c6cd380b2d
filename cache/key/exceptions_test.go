package key

import (
	"fmt"
	"slices"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// CACHE-030: what is taken from the outputs is in the key, few by their texts and many by a digest, which is another one for each.
func TestExceptionsOfOutputs(t *testing.T) {
	of := func(not ...string) []outputPattern {
		task := &workspace.Task{}
		var all []pattern.Pattern
		for _, text := range append([]string{"/p/**"}, not...) {
			p, err := pattern.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if len(task.Outputs) == 0 {
				task.Outputs = []workspace.PatternDecl{{Text: text, Pattern: p}}
				continue
			}
			task.Outputs[0].Not = append(task.Outputs[0].Not, workspace.PatternDecl{Text: "!" + text, Pattern: p})
			all = append(all, p)
		}
		task.Outputs[0].Pattern = task.Outputs[0].Pattern.Except(all)
		d := &Deriver{o: Options{Hash: digest.BLAKE3}}
		return d.outputPatterns(task)
	}
	if got := of("/p/a/", "/p/*.o")[0].except; got != "\x00folder\x00/p/a\x00glob\x00/p/*.o" {
		t.Errorf("few: %q", got)
	}
	var many []string
	for i := range 2000 {
		many = append(many, fmt.Sprintf("/p/%d", i))
	}
	was := of(many...)[0].except
	if len(was) > 200 {
		t.Errorf("many: %d bytes", len(was))
	}
	for _, other := range [][]string{many[1:], append(slices.Clone(many[1:]), "/p/0"), append(slices.Clone(many[:1999]), "/p/1999/"), append(slices.Clone(many[:1999]), "/p/199")} {
		if of(other...)[0].except == was {
			t.Errorf("what takes away other things has an equal key: %q", other[len(other)-1])
		}
	}
}
