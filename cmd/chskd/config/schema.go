package config

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
)

// Patterns of what is written as text.
const (
	timePattern = `^(0|([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+)$`
	sizePattern = `^[0-9]+ *(B|KiB|MiB|GiB)?$`
)

// object is a JSON object that is being made; encoding/json sorts its keys.
type object = map[string]any

// Schema gives a JSON Schema (2020-12) of the file, for editors and for checks before a rollout. It
// takes what Load takes except for quotes that YAML does not ask for, and knows no contradictions.
func Schema() ([]byte, error) {
	top, defaults := object{}, Default()
	for _, k := range keys {
		properties, name := top, k.Path
		if section, leaf, nested := strings.Cut(k.Path, "."); nested {
			if top[section] == nil {
				top[section] = object{"type": []string{"object", "null"}, "additionalProperties": false,
					"properties": object{}}
			}
			properties, name = top[section].(object)["properties"].(object), leaf
		}
		properties[name] = k.schema(defaults)
	}
	out, err := json.MarshalIndent(object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Options of chskd",
		"type": []string{"object", "null"}, "additionalProperties": false, "properties": top,
	}, "", "  ")
	return append(out, '\n'), err
}

// schema is what the file may have for the key.
func (k *Key) schema(defaults *Config) object {
	number := object{"type": "integer", "minimum": k.Least, "maximum": k.Most}
	text := func(pattern string) object { return object{"type": "string", "pattern": pattern} }
	var o object
	value := any(k.Text(defaults))
	switch k.Type() {
	case "bool":
		o, value = object{"type": "boolean"}, k.value(defaults).Bool()
	case "number":
		o, value = number, k.value(defaults).Int()
	case "ms":
		o, value = object{"anyOf": []object{number, text(timePattern)}}, k.value(defaults).Uint()
	case "time":
		o = object{"anyOf": []object{{"const": 0}, text(timePattern)}}
	case "size":
		o = object{"anyOf": []object{number, text(sizePattern)}}
	case "list":
		o, value = object{"type": "array", "uniqueItems": true, "items": k.itemSchema()}, k.texts(defaults)
	default:
		o = k.textSchema()
	}
	o["description"], o["default"] = sentence(k.Doc), value
	return o
}

// textSchema is that of a text. Where none is the default, the empty one is none.
func (k *Key) textSchema() object {
	switch {
	case k.OneOf != nil:
		return object{"enum": k.OneOf}
	case !k.value(Default()).IsZero():
		return object{"type": "string", "minLength": 1}
	}
	return object{"type": "string"}
}

// itemSchema is that of a list's items.
func (k *Key) itemSchema() object {
	switch k.typ {
	case reflect.TypeFor[[]uint32]():
		return object{"type": "integer", "minimum": k.Least, "maximum": k.Most}
	case reflect.TypeFor[[]netip.Prefix]():
		return object{"type": "string", "pattern": `^[0-9A-Fa-f.:]+(/[0-9]+)?$`}
	case reflect.TypeFor[[]TokenPlace]():
		return object{"type": "string", "pattern": `^(authorization|protocol|(cookie|query):.+)$`}
	}
	if k.OneOf != nil {
		return object{"enum": k.OneOf}
	}
	return object{"type": "string", "minLength": 1}
}
