// Package clock names parts of the day.
package clock

// Part is "morning" before noon and "evening" after it.
func Part(hour int) string {
	if hour < 12 {
		return "morning"
	}
	return "evening"
}
