package diag

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Quote quotes user text for a message: control characters, and those that hide or reorder text, are escaped.
//
// The escapes are \" \\ \n \r \t, \u{HEX} for a character and \xHH for a byte that is no UTF-8.
func Quote(s string) string {
	if isPlain(s) {
		return `"` + s + `"`
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	b.WriteByte('"')
	escapeTo(&b, s, true)
	b.WriteByte('"')
	return b.String()
}

// QuoteShort quotes a text that may be long.
func QuoteShort(s string) string { return Quote(Shorten(s)) }

// Shorten keeps a message readable when a user's text is long: it is cut behind the last whole character of its first 80 bytes,
// and ends in "...".
func Shorten(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && s[cut]&0xc0 == 0x80 {
		cut--
	}
	return s[:cut] + "..."
}

// Escape is Quote without the quotes around the text; quotes and backslashes stay as they are. It is for text that is shown
// as written: file names, source lines, scripts.
func Escape(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	escapeTo(&b, s, false)
	return b.String()
}

// isPlain reports whether s is printable ASCII without a quote or backslash: nearly everything is, and needs no work.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func escapeTo(b *strings.Builder, s string, quoted bool) {
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(b, `\x%02x`, s[0])
		case quoted && (r == '"' || r == '\\'):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case misleads(r):
			fmt.Fprintf(b, `\u{%x}`, r)
		default:
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
}

// misleads reports whether a character would be invisible, look like a space, or change how its neighbours are drawn:
// controls, format characters (bidi marks, zero widths), separators, private use, noncharacters, and the letters that
// Unicode declares ignorable although they are no format characters (Hangul fillers).
func misleads(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	if r&0xfffe == 0xfffe || 0xfdd0 <= r && r <= 0xfdef {
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Z, unicode.Other_Default_Ignorable_Code_Point)
}

// ShellWord spells a text so that a shell takes it as one word, as it is. What cannot be shown (line feeds, bytes that are not UTF-8) is
// spelled as in $'a\nb', which POSIX has since 2024 and bash, ksh and zsh for much longer.
func ShellWord(s string) string {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+,:@%", r))
	}
	if s != "" && strings.IndexFunc(s, odd) < 0 {
		return s
	}
	if strings.IndexFunc(s, func(r rune) bool { return r == utf8.RuneError || misleads(r) }) < 0 {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\'' || r == '\\':
			b.WriteString("\\" + s[i:i+1])
		case !misleads(r) && (r != utf8.RuneError || n > 1):
			b.WriteString(s[i : i+n])
		default:
			for _, c := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, `\%03o`, c) // of a fixed length, whatever follows
			}
		}
		i += n
	}
	b.WriteString("'")
	return b.String()
}

// DidYouMean is the hint that proposes a text in the place of another.
func DidYouMean(text string) string { return "did you mean " + Quote(text) + "?" }
