// Package greet greets.
package greet

import (
	"fmt"

	"example.com/monorepo/libs/catalog"
	"example.com/monorepo/libs/greet/gen"
)

// Greet greets somebody in a language at a part of the day.
func Greet(language, part, who string) (string, error) {
	word, ok := catalog.Greeting(language)
	if !ok {
		return "", fmt.Errorf("no greeting in %q", language)
	}
	return fmt.Sprintf("%s %s, %s!", word, gen.DayTimes[language+"/"+part], who), nil
}
