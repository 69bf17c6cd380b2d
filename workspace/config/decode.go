package config

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// Decode reads a YAML text as a JSON value, the way an editor sees it that checks a file by a JSON Schema: maps with text
// keys, merge keys resolved, numbers as float64. It is no way to read a file of haz (use the Read functions): values lose
// their text as written.
func Decode(text []byte) (any, error) {
	var v any
	if err := yaml.Load(text, &v); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return jsonValue(v), nil
}

func jsonValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, member := range v {
			v[k] = jsonValue(member)
		}
		return v
	case map[any]any:
		out := make(map[string]any, len(v))
		for k, member := range v {
			out[fmt.Sprint(k)] = jsonValue(member)
		}
		return out
	case []any:
		for i, item := range v {
			v[i] = jsonValue(item)
		}
		return v
	case nil, bool, string, float64:
		return v
	case int:
		return float64(v)
	default: // uint64, time.Time: texts would be as good
		if f, err := strconv.ParseFloat(fmt.Sprint(v), 64); err == nil {
			return f
		}
		return fmt.Sprint(v)
	}
}
