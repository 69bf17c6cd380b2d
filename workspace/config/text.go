package config

import (
	"strconv"
	"strings"
)

// YAML writes a text in YAML, alone or as an item of a list on one line: in quotes where YAML would read anything but this very text. It
// quotes too much rather than too little.
func YAML(s string) string {
	plain := s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./*$") == "" && !strings.ContainsRune("*-.", rune(s[0]))
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		plain = false
	}
	if plain && (s[0] < '0' || '9' < s[0]) { // what begins with a digit may be a number or a date
		return s
	}
	return strconv.Quote(s)
}
