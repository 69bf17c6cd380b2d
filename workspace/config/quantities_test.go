package config

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/workspace"
)

// haz::cfg::034.
func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"90d": 90 * day, "7d12h": 7*day + 12*time.Hour, "12h7d": 7*day + 12*time.Hour, "0d": 0, "00d": 0, "4w2d": 30 * day, "0s": 0, "1m": time.Minute,
		"1s2m3h4d5w": time.Second + 2*time.Minute + 3*time.Hour + 4*day + 35*day,
		// [+] longer than the platform's longest duration means that longest duration
		"9223372037s": DurationMax, "18446744073709551615s": DurationMax, "106752d": DurationMax,
		"9223372036s": 9223372036 * time.Second,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for text, mentions := range map[string]string{
		"90": "no unit", "1.5d": `"."`, "1 d": `" "`, "1D": `"D"`, "1ms": `"s"`, "1d1d": "twice", "+1d": `"+"`, "1y": `"y"`, "": "empty", "-1d": `"-"`, "d": `"d"`,
		"1é": `"é"`, "1d ": `" "`, "1d2": "no unit",
		"18446744073709551616s": "64 bits", "30500568904944w": "64 bits", "18446744073709551615s1m": "64 bits", "99999999999999999999999999d": "64 bits",
	} {
		_, err := ParseDuration(text)
		checkQuantityError(t, text, err, mentions)
	}
}

// haz::cfg::080.
func TestParsePeriod(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10m": 10 * time.Minute, "1m30s": 90 * time.Second, "500ms": time.Second / 2, "1s500ms": 1500 * time.Millisecond, "5ms1m": time.Minute + 5*time.Millisecond,
		"0s": 0, "0ms": 0, "2w1d": 15 * 24 * time.Hour, "9223372036854ms": 9223372036854 * time.Millisecond, "9223372036855ms": DurationMax, "106752d": DurationMax,
	} {
		if got, err := ParsePeriod(text); err != nil || got != want {
			t.Errorf("ParsePeriod(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for text, mentions := range map[string]string{
		"600": "no unit", "1.5s": `"."`, "10 m": `" "`, "10min": `"i"`, "1m1m": "twice", "1ms1ms": "twice", "": "empty", "-1s": `"-"`, "none": `"n"`, "10M": `"M"`, "5us": `"u"`,
		"18446744073709551616ms": "64 bits", "30500568904944w": "64 bits of milliseconds",
	} {
		_, err := ParsePeriod(text)
		checkQuantityError(t, text, err, mentions)
	}
}

// haz::cfg::035.
func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1024": 1024, "0": 0, "5GB": 5e9, "200MiB": 200 << 20, "7B": 7, "1KB": 1000, "1KiB": 1024, "1MB": 1e6, "1TB": 1e12, "1TiB": 1 << 40, "007": 7, "1GiB": 1 << 30,
		"18446744073709551615": math.MaxInt64, "9223372036854775807": math.MaxInt64, "8388608TiB": math.MaxInt64, "16777215TiB": math.MaxInt64,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for text, mentions := range map[string]string{
		"5G": `"G"`, "5gb": `"gb"`, "1kB": `"kB"`, "5 GB": `" GB"`, "1.5GB": `".5GB"`, "1PB": `"PB"`, "-1": `"-"`, "": "empty", "GB": `"G"`, "+1": `"+"`, "5GBs": `"GBs"`,
		"18446744073709551616": "64 bits", "16777216TiB": "64 bits",
	} {
		_, err := ParseSize(text)
		checkQuantityError(t, text, err, mentions)
	}
}

func checkQuantityError(t *testing.T, text string, err error, mentions string) {
	t.Helper()
	var e *QuantityError
	if !errors.As(err, &e) || !strings.Contains(e.Reason, mentions) {
		t.Errorf("%q: got %v, want a mention of %s", text, err, mentions)
	} else if e.Offset+e.Length > len(text) {
		t.Errorf("%q: place %d+%d is outside", text, e.Offset, e.Length)
	}
}

// haz::cfg::028: the forms of a YAML integer.
func TestParseInteger(t *testing.T) {
	for text, want := range map[string]int{
		"4": 4, "+4": 4, "0x4": 4, "0o4": 4, "1_000": 1000, "04": 4, "08": 8, "0": 0, "-4": -4, "0b11": 3, "+0x1F": 31, "-0": 0,
		"99999999999999999999": math.MaxInt, "-99999999999999999999": -math.MaxInt,
	} {
		if got, ok := parseInteger(text); !ok || got != want {
			t.Errorf("parseInteger(%q) = %v, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "+", "-", "1.5", "1e3", "Auto", "_1", "1_", "1__0", "0x", "0xg", "+-4", "-+4", "++4", "4 ", " 4", "0x_4", "½", "0X4", "--4"} {
		if got, ok := parseInteger(text); ok {
			t.Errorf("parseInteger(%q) = %v, want none", text, got)
		}
	}
}

// haz::cfg::031.
func TestParseGrace(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5": 5 * time.Second, "0": 0, "0.5": time.Second / 2, ".5": time.Second / 2, "1e-9": 1, "5.": 5 * time.Second, "+5": 5 * time.Second, "1E1": 10 * time.Second,
		"-0": 0, "1e-400": 0, "2.5": 2500 * time.Millisecond,
		"1e400": DurationMax, "9223372036.9": DurationMax, "1e10": DurationMax, // [+] clamped like durations
	} {
		if got, err := parseGrace(text); err != nil || got != want {
			t.Errorf("parseGrace(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"-1", ".nan", ".inf", "nan", "inf", "Infinity", "5s", "", ".", "e1", "1e", "0x10", "0x1p4", "1_0", "-1e-300", "+.inf", " 5", "5 "} {
		if got, err := parseGrace(text); err == nil {
			t.Errorf("parseGrace(%q) = %v, want an error", text, got)
		}
	}
}

// printDuration writes a duration as haz::cfg::034 reads it, largest unit first.
func printDuration(d time.Duration) string {
	seconds := uint64(d / time.Second)
	text := ""
	for _, u := range "wdhms" {
		size := durationGrammar.units[string(u)]
		if n := seconds / size; n > 0 {
			text += fmt.Sprint(n, string(u))
		}
		seconds %= size
	}
	if text == "" {
		return "0s"
	}
	return text
}

// What is read can be printed and read again.
func FuzzDuration(f *testing.F) {
	for _, s := range []string{"90d", "7d12h", "1d1d", "18446744073709551616s", "1.5d", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		again, err := ParseDuration(printDuration(d))
		if err != nil || again != d.Truncate(time.Second) {
			t.Errorf("%q is %v, printed %q, read again %v, %v", s, d, printDuration(d), again, err)
		}
	})
}

func FuzzPeriod(f *testing.F) {
	for _, s := range []string{"10m", "1m30s", "5ms1m", "1m1m", "18446744073709551616ms", "1.5s", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParsePeriod(s)
		if err != nil {
			return
		}
		again, err := ParsePeriod(workspace.Period(d))
		if err != nil || again != d.Truncate(time.Millisecond) {
			t.Errorf("%q is %v, printed %q, read again %v, %v", s, d, workspace.Period(d), again, err)
		}
	})
}

func FuzzSize(f *testing.F) {
	for _, s := range []string{"1024", "5GiB", "5G", "16777216TiB", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseSize(s)
		if err != nil {
			return
		}
		if again, err := ParseSize(fmt.Sprint(n, "B")); n < 0 || err != nil || again != n {
			t.Errorf("%q is %d, read again %d, %v", s, n, again, err)
		}
	})
}

// haz::cfg::044: octal however it is written, and none of the owner's bits.
func TestParseUmask(t *testing.T) {
	for text, want := range map[string]uint32{"022": 0o022, "22": 0o022, "0o22": 0o022, "0022": 0o022, "0": 0, "000": 0, "77": 0o077, "0o077": 0o077, "002": 2} {
		if got, err := ParseUmask(text); err != nil || got != want {
			t.Errorf("%q: %03o, %v, want %03o", text, got, err, want)
		}
	}
	for text, why := range map[string]string{"": "octal", "0o": "octal", "018": "octal", "u=rwx": "octal", "-1": "octal", "+22": "octal", "0x12": "octal", " 22": "octal", "0b1": "octal", "2_2": "octal",
		"1.0": "octal", "true": "octal", "01000": "bits", "1022": "bits", "99999999999999999999": "octal", "77777777777777777777777": "bits", "0100": "owner", "700": "owner", "777": "owner"} {
		if got, err := ParseUmask(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %03o, %v, want an error about %q", text, got, err, why)
		}
	}
}
