package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// build reads a value as the library does.
func (s *scanner) build() any {
	var out any
	switch c := s.next(); c {
	case '{':
		m := map[string]any{}
		s.object(func(key string, _ span) { m[key] = s.build() })
		out = m
	case '[':
		l := []any{}
		s.list(func() { l = append(l, s.build()) })
		out = l
	case '"':
		out, _ = s.str()
	default:
		start := s.at
		s.skip()
		if s.bad == nil {
			d := json.NewDecoder(strings.NewReader(s.text[start:s.at]))
			d.UseNumber()
			if err := d.Decode(&out); err != nil {
				panic(err)
			}
		}
	}
	return out
}

// same reports what the scanner and the library do not agree on.
func same(text []byte) error {
	s := scanner{text: string(text)}
	var got any
	bad := s.document(func() { got = s.build() })
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var want any
	fine := json.Valid(text) && d.Decode(&want) == nil
	if fine != (bad == nil) {
		return fmt.Errorf("valid %v, found %+v", fine, bad)
	}
	if bad != nil {
		if bad.start < 0 || bad.end < bad.start || bad.end > len(text) || bad.message == "" {
			return fmt.Errorf("no place: %+v", bad)
		}
		skipped := scanner{text: string(text)}
		if again := skipped.document(skipped.skip); again == nil || *again != *bad {
			return fmt.Errorf("skipping says %+v, reading %+v", again, bad)
		}
		return nil
	}
	if a, b := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want); a != b {
		return fmt.Errorf("read %s, want %s", a, b)
	}
	return nil
}

func TestScanner(t *testing.T) {
	for _, text := range []string{
		`{}`, `[]`, `"a"`, ` 1 `, `-0.5e+7`, `true`, `null`, `{"a":{"b":[1,2,{"c":"d"}]},"e":false}`, `"\u00e9\ud83d\ude00\ud800x\"\\\/\b\f\n\r\t"`,
		``, ` `, `{`, `[`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `[1,]`, `{a:1}`, `{'a':1}`, `[1 2]`, `{"a":1 "b":2}`, `01`, `1.`, `-`, `1e`, `.5`, `+1`,
		`tru`, `nul`, `"a`, "\"a\nb\"", `"\x"`, `"\u12"`, `"\`, `{} {}`, `// c`, `{"a":1 /* c */}`, `{"a" 1}`, `{"a":1]`, `[1}`, `,`, `[,]`, `{,}`, `"\ud83d\u0041"`,
	} {
		if err := same([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestMistakesHavePlaces(t *testing.T) {
	for text, want := range map[string]string{
		"{\n\t\"a\": 1,\n}":      `11-12 there is a comma before this "}"`,
		`{"a": 1 "b": 2}`:        "8-9 want `,` or `}` behind the value, found \"\\\"\"",
		`{"a": 1, // why`:        `9-10 want a key in double quotes, found "/" (JSON has no comments)`,
		`{"a": `:                 `6-6 want a value, found the end of the file`,
		`{"a": "x` + "\n}":       `8-9 a text has a line break`,
		`{"a": "xyz`:             `6-10 the text is not closed`,
		`{"a": "\q"}`:            `7-9 this is no escape of JSON`,
		`{"a": é}`:               `6-8 want a value, found "é"`,
		`{"a": 01}`:              "7-8 want `,` or `}` behind the value, found \"1\"",
		"":                       "0-0 the file is empty",
		strings.Repeat("[", 2e5): "10000-10001 lists and objects are nested more than 10000 deep",
	} {
		s := scanner{text: text}
		bad := s.document(s.skip)
		if bad == nil {
			t.Errorf("%.40s is fine", text)
			continue
		}
		got := fmt.Sprintf("%d-%d %s (%s)", bad.start, bad.end, bad.message, bad.hint)
		if !strings.HasPrefix(strings.ReplaceAll(got, "`", `"`), strings.ReplaceAll(want, "`", `"`)) {
			t.Errorf("%.40s: %s, want %s", text, got, want)
		}
	}
}

func FuzzScanner(f *testing.F) {
	f.Add([]byte(`{"a":[1,-2.5e3,"\u00e9",null,true]}`))
	f.Add([]byte("{\"a\":1,}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) {
			t.Skip()
		}
		if err := same(text); err != nil {
			t.Error(err)
		}
	})
}
