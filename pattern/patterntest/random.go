package patterntest

import (
	"strings"

	"pgregory.net/rapid"
)

// Text draws a text over a small alphabet that is mostly a legal pattern.
func Text(absolute bool) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		if absolute {
			b.WriteByte('/')
		}
		n := rapid.IntRange(1, 3).Draw(t, "segments")
		for i := range n {
			if i > 0 {
				b.WriteByte('/')
			}
			b.WriteString(segmentText(true).Draw(t, "segment"))
		}
		if rapid.IntRange(0, 4).Draw(t, "folder") == 0 {
			b.WriteByte('/')
		}
		return b.String()
	})
}

var atoms = []string{"a", "b", "a", "b", ".", "*", "*", "?", "[ab]", "[!a]", `\a`, ".git", "é", "[a-é]"}

func segmentText(braces bool) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 4).Draw(t, "deep") == 0 {
			return "**"
		}
		var b strings.Builder
		for range rapid.IntRange(1, 3).Draw(t, "atoms") {
			if braces && rapid.IntRange(0, 4).Draw(t, "brace") == 0 {
				b.WriteByte('{')
				for i := range rapid.IntRange(1, 3).Draw(t, "alts") {
					if i > 0 {
						b.WriteByte(',')
					}
					switch rapid.IntRange(0, 4).Draw(t, "alt") {
					case 0:
					case 1:
						b.WriteString(segmentText(false).Draw(t, "s") + "/" + segmentText(false).Draw(t, "s"))
					default:
						b.WriteString(segmentText(false).Draw(t, "s"))
					}
				}
				b.WriteByte('}')
				continue
			}
			b.WriteString(rapid.SampledFrom(atoms).Draw(t, "atom"))
		}
		return b.String()
	})
}
