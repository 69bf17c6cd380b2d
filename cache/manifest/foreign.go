package manifest

import (
	"bytes"
	"encoding/json"
	"math"

	"github.com/haz-build/haz/cache/digest"
)

// foreignSchema looks whether b is a manifest of another revision or hash function in some other spelling of JSON: then
// it is no damage, only foreign. nil when it is not, or is one of ours.
func foreignSchema(b []byte) *SchemaError {
	if len(b) > smallManifest {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	revision, name := int64(-1), ""
	for dec.More() {
		field, err := dec.Token()
		if err != nil {
			return nil
		}
		if field != "chapter_revision" && field != "hash_function" {
			if skip(dec) != nil {
				break
			}
			continue
		}
		t, err := dec.Token()
		if err != nil {
			return nil
		}
		switch v := t.(type) {
		case json.Number:
			if n, err := v.Int64(); err == nil && field == "chapter_revision" {
				revision = n
			}
		case string:
			if field == "hash_function" {
				name = v
			}
		}
	}
	_, known := digest.ParseFunction(name)
	if revision < 0 || revision > math.MaxInt32 || name == "" || revision == Revision && known {
		return nil
	}
	return &SchemaError{Revision: int(revision), Hash: name}
}

// skip reads one value without building it.
func skip(dec *json.Decoder) error {
	for depth := 0; ; {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
