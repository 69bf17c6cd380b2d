// Package catalog knows how to begin a greeting.
package catalog

import "example.com/monorepo/libs/catalog/gen"

// Greeting returns the first word of a greeting in a language, and whether the language is known.
func Greeting(language string) (string, bool) {
	s, ok := gen.Messages[language]
	return s, ok
}
