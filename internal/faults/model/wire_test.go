package model

import (
	"encoding/json"
	"fmt"
	"strings"
)

// wire is what goes over the line for a step that the service sends.
func wire(s step) string {
	switch s := s.(type) {
	case put:
		end := "}"
		if s.broken {
			end = "]"
		}
		data := fmt.Sprintf(`{"path":%s,"data":{"environments":%s,"filters":%s}%s`, quoted(s.path),
			object(s.environments, environment.json), object(s.filters, filter.json), end)
		return event("put", data)
	case patch:
		return event("patch", fmt.Sprintf(`{"path":%s,"data":%s}`, quoted(s.path), s.env.json()))
	case filterPatch:
		return event("patch", fmt.Sprintf(`{"path":%s,"data":%s}`, quoted(s.path), s.filter.json()))
	case remove:
		return event("delete", fmt.Sprintf(`{"path":%s,"version":%d}`, quoted(s.path), s.version))
	case malformed:
		return event(s.name, s.data)
	case unknown:
		return event(s.name, s.data)
	case reconnect:
		return event("reconnect", s.data)
	case comment:
		return ":" + s.text + "\n"
	case retryField:
		return fmt.Sprintf("retry: %d\n\n", s.millis)
	}
	panic(fmt.Sprintf("%T is not sent", s))
}

func event(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }

func object[V any](members []member[V], text func(V) string) string {
	var all []string
	for _, m := range members {
		all = append(all, quoted(m.id)+":"+text(m.value))
	}
	return "{" + strings.Join(all, ",") + "}"
}

func (e environment) json() string {
	sdkKey := map[string]any{"value": e.sdk}
	if e.old != "" {
		sdkKey["expiring"] = map[string]any{"value": e.old, "timestamp": e.oldExpiry.at.UnixMilli()}
	}
	members := map[string]any{
		"envID": e.id, "envName": e.name, "version": e.version, "sdkKey": sdkKey, "mobKey": e.mobile,
	}
	if e.padding > 0 {
		members["padding"] = strings.Repeat("x", e.padding)
	}
	if e.sdkKeys != nil {
		members["sdkKeys"] = keysJSON(e.sdkKeys)
	}
	if e.mobiles != nil {
		members["mobileKeys"] = keysJSON(e.mobiles)
	}
	return marshalled(members)
}

func keysJSON(keys []listedKey) []any {
	entries := []any{}
	for _, key := range keys {
		entry := map[string]any{"value": key.value, "hasViews": key.hasViews, "expiry": nil}
		if key.expires {
			entry["expiry"] = key.expiry.at.UnixMilli()
		}
		entries = append(entries, entry)
	}
	return entries
}

func (f filter) json() string { return marshalled(map[string]any{"key": f.key, "version": f.version}) }

func quoted(s string) string { return marshalled(s) }

func marshalled(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
