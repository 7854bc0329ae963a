package backend

import (
	"reflect"
	"strings"
)

// OpenAPIFile is what the server gives as its description.
func OpenAPIFile() []byte { return openAPIFile }

// Route is a path of the API as the server knows it.
type Route struct {
	Method string
	Params []string
}

// Routes gives all paths.
func Routes() map[string]Route {
	all := map[string]Route{}
	for path, r := range routes {
		all[path] = Route{r.method, strings.Fields(r.params)}
	}
	return all
}

// RequestFields gives the fields that the codec takes in the body of each path that has one.
func RequestFields() map[string][]string {
	all := map[string][]string{}
	for path, takes := range map[string]fieldSet{
		"/v1/push": pushFields, "/v1/reply": replyFields, "/v1/close": closeFields,
		"/v1/join": memberFields, "/v1/leave": memberFields, "/v1/ack": ackFields,
	} {
		all[path] = strings.Fields((takes | 1<<fOp).String())
	}
	return all
}

// AnswerFields gives the members of each answer, by the names of the schemas that tell of them:
// those that are always there, and all.
func AnswerFields(schema string) (always, all []string) {
	members(map[string]reflect.Type{
		"PushedMany": reflect.TypeFor[manyAnswer](), "Page": reflect.TypeFor[pageAnswer](),
		"User": reflect.TypeFor[userAnswer](), "Session": reflect.TypeFor[clientAnswer](),
		"Stats": reflect.TypeFor[statsAnswer](), "EngineStats": reflect.TypeFor[Stats](),
		"HubStats": reflect.TypeFor[HubStats](), "Failure": reflect.TypeFor[errorAnswer](),
		"Error": reflect.TypeFor[Error](), "Status": reflect.TypeFor[statusAnswer](),
	}[schema], &always, &all)
	return always, all
}

func members(t reflect.Type, always, all *[]string) {
	for f := range t.Fields() {
		if f.Anonymous {
			members(f.Type, always, all)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		*all = append(*all, name)
		if options != "omitempty" {
			*always = append(*always, name)
		}
	}
}
