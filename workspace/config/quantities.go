package config

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"github.com/haz-build/haz/diag"
)

// The quantities of chapter 1, section 4. Each parser takes the text as written and says what is wrong with it in a sentence
// that can follow "bad duration "7x": ".

// A QuantityError says which part of a text is wrong, and why.
type QuantityError struct {
	Reason         string
	Offset, Length int // of the offending part, in bytes
}

func (e *QuantityError) Error() string { return e.Reason }

// DurationMax is the longest duration; longer ones that fit 64 bits of seconds mean this one.
const DurationMax = time.Duration(math.MaxInt64)

// A grammar is what the text of a duration may be: which units there are, of what size, and how small the smallest is.
type grammar struct {
	units map[string]uint64 // in the smallest one
	least time.Duration     // the smallest unit
	count string            // what is counted, for a number that does not fit
	rule  string
}

var durationGrammar = grammar{
	units: map[string]uint64{"s": 1, "m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}, least: time.Second, count: "seconds",
	rule: "a duration is one or more numbers, each with a unit s, m, h, d or w, like 90d or 7d12h"}

var periodGrammar = grammar{
	units: map[string]uint64{"ms": 1, "s": 1000, "m": 60_000, "h": 3600_000, "d": 24 * 3600_000, "w": 7 * 24 * 3600_000}, least: time.Millisecond, count: "milliseconds",
	rule: "a time is one or more numbers, each with a unit ms, s, m, h, d or w, like 10m or 1m30s"}

// ParseDuration reads a duration of haz::cfg::034: pairs of decimal digits and a unit s m h d w written together, each unit at most
// once, in any order. What exceeds 64 bits of seconds is an error; what exceeds DurationMax is DurationMax. The error is
// *QuantityError.
func ParseDuration(text string) (time.Duration, error) { return durationGrammar.parse(text) }

// ParsePeriod reads a time of haz::cfg::080: as ParseDuration, with the unit ms besides, of which 64 bits are the most.
func ParsePeriod(text string) (time.Duration, error) { return periodGrammar.parse(text) }

func (g *grammar) parse(text string) (time.Duration, error) {
	if text == "" {
		return 0, &QuantityError{Reason: "it is empty; " + g.rule}
	}
	var total uint64
	seen := map[string]bool{}
	for i := 0; i < len(text); {
		n, digits, fits := leadingNumber(text[i:])
		if digits == 0 {
			return 0, quantityError(text, i, "a number is wanted here, not %s; "+g.rule)
		}
		at := i
		i += digits
		if i == len(text) {
			return 0, &QuantityError{Offset: at, Length: digits,
				Reason: fmt.Sprintf("%s has no unit; %s", diag.QuoteShort(text[at:i]), g.rule)}
		}
		name := g.unit(text[i:])
		size, known := g.units[name]
		if !known {
			return 0, quantityError(text, i, "%s is no unit; "+g.rule)
		}
		if seen[name] {
			return 0, quantityError(text, i, "the unit %s is given twice")
		}
		seen[name] = true
		i += len(name)
		high, units := bits.Mul64(n, size)
		sum, carry := bits.Add64(total, units, 0)
		if !fits || high != 0 || carry != 0 {
			return 0, &QuantityError{Offset: at, Length: i - at, Reason: "it does not fit 64 bits of " + g.count}
		}
		total = sum
	}
	if total > uint64(DurationMax/g.least) {
		return DurationMax, nil
	}
	return time.Duration(total) * g.least, nil
}

// unit is the longest unit that text begins with, or its first byte.
func (g *grammar) unit(text string) string {
	if len(text) > 1 && g.units[text[:2]] != 0 {
		return text[:2]
	}
	return text[:1]
}

var sizeUnits = map[string]uint64{
	"": 1, "B": 1,
	"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}

const sizeGrammar = "a size is a number with nothing, B, KB, MB, GB, TB, KiB, MiB, GiB or TiB behind it, like 5GiB"

// ParseSize reads a size of haz::cfg::035 in bytes: decimal digits and an optional suffix, in exactly this case. What exceeds 64
// bits is an error; what exceeds the int64 is its largest value. The error is *QuantityError.
func ParseSize(text string) (int64, error) {
	if text == "" {
		return 0, &QuantityError{Reason: "it is empty; " + sizeGrammar}
	}
	n, digits, fits := leadingNumber(text)
	if digits == 0 {
		return 0, quantityError(text, 0, "a number is wanted here, not %s; "+sizeGrammar)
	}
	unit, known := sizeUnits[text[digits:]]
	if !known {
		reason := fmt.Sprintf("%s is no unit; %s", diag.QuoteShort(text[digits:]), sizeGrammar)
		return 0, &QuantityError{Offset: digits, Length: len(text) - digits, Reason: reason}
	}
	high, size := bits.Mul64(n, unit)
	if !fits || high != 0 {
		return 0, &QuantityError{Length: len(text), Reason: "it does not fit 64 bits of bytes"}
	}
	return int64(min(size, math.MaxInt64)), nil
}

// leadingNumber reads decimal digits; fits is false when they exceed 64 bits.
func leadingNumber(s string) (n uint64, digits int, fits bool) {
	fits = true
	for digits < len(s) && isDigit(s[digits]) {
		high, low := bits.Mul64(n, 10)
		sum, carry := bits.Add64(low, uint64(s[digits]-'0'), 0)
		fits = fits && high == 0 && carry == 0
		n = sum
		digits++
	}
	return n, digits, fits
}

// quantityError marks the character at byte i, which format mentions.
func quantityError(text string, i int, format string) error {
	size := 1
	for size < len(text)-i && text[i+size]&0xc0 == 0x80 {
		size++
	}
	return &QuantityError{Offset: i, Length: size, Reason: fmt.Sprintf(format, diag.Quote(text[i:i+size]))}
}

// parseInteger reads a YAML integer: an optional sign; decimal digits (a leading zero changes nothing), or 0x, 0o or 0b and
// digits; single underscores between digits. What exceeds the int is its largest value.
func parseInteger(text string) (n int, ok bool) {
	digits := strings.TrimPrefix(text, "+")
	negative := len(digits) == len(text) && strings.HasPrefix(text, "-")
	if negative {
		digits = text[1:]
	}
	base := 10
	if len(digits) > 2 && digits[0] == '0' {
		switch digits[1] {
		case 'x':
			base, digits = 16, digits[2:]
		case 'o':
			base, digits = 8, digits[2:]
		case 'b':
			base, digits = 2, digits[2:]
		}
	}
	if strings.HasPrefix(digits, "_") || strings.HasSuffix(digits, "_") || strings.Contains(digits, "__") {
		return 0, false
	}
	// ParseUint takes no sign, no prefix and no underscore when the base is given.
	v, err := strconv.ParseUint(strings.ReplaceAll(digits, "_", ""), base, 63)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	n = int(min(v, math.MaxInt))
	if negative {
		n = -n
	}
	return n, true
}

// parseGrace reads execution.cancel_grace: a decimal number of seconds, fractions and exponents allowed, at least 0. What
// exceeds DurationMax is DurationMax; what is finer than a nanosecond is rounded to one.
func parseGrace(text string) (time.Duration, error) {
	if !isDecimal(text) {
		return 0, errors.New("it is no number of seconds")
	}
	// The only error left is a number beyond the float64, which is then an infinity: longer than any duration.
	seconds, _ := strconv.ParseFloat(text, 64)
	if seconds < 0 {
		return 0, errors.New("it is negative")
	}
	if seconds >= float64(DurationMax)/float64(time.Second) {
		return DurationMax, nil
	}
	return time.Duration(math.Round(seconds * float64(time.Second))), nil
}

// isDecimal reports whether text is [+-]digits[.digits][e[+-]digits] with at least one digit before the exponent. ParseFloat
// alone would take "inf", "nan" and hexadecimal.
func isDecimal(text string) bool {
	i := 0
	digits := func() (n int) {
		for i < len(text) && isDigit(text[i]) {
			i++
			n++
		}
		return n
	}
	sign := func() {
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
	}
	sign()
	n := digits()
	if i < len(text) && text[i] == '.' {
		i++
		n += digits()
	}
	if n == 0 {
		return false
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		sign()
		if digits() == 0 {
			return false
		}
	}
	return i == len(text)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

const umaskGrammar = "octal digits, from 000 to 077: umask: 022"

// ParseUmask reads execution.umask (haz::cfg::044): octal digits, whatever is before them (022, 0o22, 22), of group and others alone: what
// the owner of a file may not do, haz could not do either.
func ParseUmask(text string) (uint32, error) {
	digits := strings.TrimPrefix(text, "0o")
	n, err := strconv.ParseUint(digits, 8, 32)
	switch {
	case digits == "" || strings.Trim(digits, "01234567") != "":
		return 0, &QuantityError{Reason: "it is no octal number"}
	case err != nil || n > 0o777:
		return 0, &QuantityError{Reason: "it has other bits than those of permissions"}
	case n > 0o077:
		return 0, &QuantityError{Reason: "it takes permissions from the owner, so that haz could not read what tasks make"}
	}
	return uint32(n), nil
}
