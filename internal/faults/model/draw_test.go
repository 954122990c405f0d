package model

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// The alphabets are small, so that versions collide, ids come back, and keys wander between environments.
var (
	ids       = rapid.SampledFrom([]string{"a", "b", "c"})
	filterIDs = rapid.SampledFrom([]string{"f", "g"})
	versions  = rapid.IntRange(-1, 8)

	// Far enough apart that a key expires during a pause, an outage or never.
	aheads = rapid.SampledFrom([]time.Duration{-time.Hour, 0, time.Second, 2 * time.Second, 30 * time.Second,
		90 * time.Second, 3 * time.Hour, 250 * 365 * 24 * time.Hour})
)

// inParts is how many bytes make a put come in parts, half of it too.
const inParts = 540_000

func drawHistory(t *rapid.T) []step {
	return rapid.SliceOfN(rapid.Custom(drawStep), 1, 25).Draw(t, "history")
}

// pick returns a generator that takes each of these as often as its weight says.
func pick(weights map[string]int) *rapid.Generator[string] {
	var all []string
	for kind, weight := range weights {
		all = append(all, slices.Repeat([]string{kind}, weight)...)
	}
	slices.Sort(all)
	return rapid.SampledFrom(all)
}

var (
	sentKinds = pick(map[string]int{
		"put": 6, "patch": 10, "remove": 6, "filterPatch": 3, "removeFilter": 2, "comment": 1, "unknown": 1,
		"malformed": 1, "reconnect": 1, "retry": 1, "stray": 1,
	})
	otherKinds = pick(map[string]int{"sent": 24, "burst": 3, "pause": 5, "drop": 2, "outage": 1, "silence": 1, "rotate": 1})
)

func drawStep(t *rapid.T) step {
	switch otherKinds.Draw(t, "kind") {
	case "burst":
		return burst{rapid.SliceOfN(rapid.Custom(drawSent), 2, 5).Draw(t, "steps")}
	case "pause":
		return pause{rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, 2 * time.Second, 31 * time.Second,
			2 * time.Minute}).Draw(t, "pause")}
	case "drop":
		switch rapid.SampledFrom([]string{"between", "between", "between", "midway", "midway", "midway", "midway",
			"midway in a put that comes in parts"}).Draw(t, "drop") {
		case "midway":
			return drop{midway: drawSent(t)}
		case "midway in a put that comes in parts":
			e := drawEnvironment(t, "a")
			e.padding = inParts
			return drop{midway: put{path: "/", environments: []member[environment]{{"a", drawEnvironment(t, "a")}, {"a", e}}}}
		}
		return drop{}
	case "outage":
		statuses := rapid.SampledFrom([]int{0, 200, 301, 400, 404, 410, 429, 500, 503})
		return outage{rapid.SliceOfN(rapid.Custom(func(t *rapid.T) answer {
			return answer{statuses.Draw(t, "status")}
		}), 1, 3).Draw(t, "answers")}
	case "silence":
		return silence{}
	case "rotate":
		return rotate{}
	default:
		return drawSent(t)
	}
}

// drawSent draws something that the service sends.
func drawSent(t *rapid.T) step {
	switch sentKinds.Draw(t, "sent") {
	case "put":
		return drawPut(t)
	case "patch":
		id := ids.Draw(t, "id")
		return patch{slash(t) + "environments/" + id, drawEnvironment(t, id)}
	case "remove":
		return remove{slash(t) + "environments/" + ids.Draw(t, "id"), versions.Draw(t, "version")}
	case "filterPatch":
		return filterPatch{slash(t) + "filters/" + filterIDs.Draw(t, "id"), drawFilter(t)}
	case "removeFilter":
		return remove{slash(t) + "filters/" + filterIDs.Draw(t, "id"), versions.Draw(t, "version")}
	case "stray":
		path := rapid.SampledFrom([]string{"", "/", "/environments", "/environments/", "/flags/a", "/environments/a/b",
			"//environments/a"}).Draw(t, "path")
		if rapid.Bool().Draw(t, "stray patch") {
			return patch{path, drawEnvironment(t, "a")}
		}
		return remove{path, versions.Draw(t, "version")}
	case "unknown":
		return unknown{rapid.SampledFrom([]string{"", "message", "Put", "sdk-put"}).Draw(t, "name"), `{"path":"/"}`}
	case "malformed":
		return drawMalformed(t)
	case "comment":
		return comment{rapid.SampledFrom([]string{"", "keepalive"}).Draw(t, "text")}
	case "retry":
		return retryField{rapid.SampledFrom([]int{0, 1, 3000, 1 << 40}).Draw(t, "millis")}
	default:
		return reconnect{rapid.SampledFrom([]string{"", " ", "{}"}).Draw(t, "data")}
	}
}

func slash(t *rapid.T) string { return rapid.SampledFrom([]string{"/", ""}).Draw(t, "slash") }

func drawMalformed(t *rapid.T) step {
	data := rapid.SampledFrom([]string{"", "{", `{"path":1}`, `[]`, `"x"`, `{} {}`, "\x00", `{"path":"/environments/a","data":`})
	return malformed{rapid.SampledFrom([]string{"put", "patch", "delete"}).Draw(t, "name"), data.Draw(t, "data")}
}

func drawPut(t *rapid.T) step {
	p := put{path: rapid.SampledFrom([]string{"/", "/", "/", "/", "/", "", "/environments"}).Draw(t, "path")}
	p.broken = rare(t, 12)
	for range rapid.IntRange(0, 4).Draw(t, "environments") {
		id := ids.Draw(t, "id")
		p.environments = append(p.environments, member[environment]{id, drawEnvironment(t, id)})
	}
	for range rapid.IntRange(0, 2).Draw(t, "filters") {
		p.filters = append(p.filters, member[filter]{filterIDs.Draw(t, "id"), drawFilter(t)})
	}
	return p
}

// drawEnvironment draws one that is mostly the one with that id.
func drawEnvironment(t *rapid.T, id string) environment {
	e := environment{id: id, version: versions.Draw(t, "version"), sdk: drawKey(t, "sdk"), mobile: drawKey(t, "mob")}
	e.name = fmt.Sprintf("name %d", rapid.IntRange(0, 1<<30).Draw(t, "name"))
	if rare(t, 60) {
		e.padding = inParts
	}
	if rare(t, 12) {
		e.id = rapid.SampledFrom([]string{"", "a", "b", "A"}).Draw(t, "another id")
	}
	if rare(t, 3) {
		e.old, e.oldExpiry = drawKey(t, "sdk"), drawMoment(t)
	}
	if rare(t, 3) {
		e.sdkKeys = drawKeys(t, "sdk", e.sdk)
	}
	if rare(t, 3) {
		e.mobiles = drawKeys(t, "mob", e.mobile)
	}
	return e
}

// drawKeys draws a list that has the default key in it, mostly.
func drawKeys(t *rapid.T, kind, defaultKey string) []listedKey {
	keys := []listedKey{}
	for range rapid.IntRange(0, 3).Draw(t, "keys") {
		keys = append(keys, drawListedKey(t, drawKey(t, kind)))
	}
	if !rare(t, 6) {
		place := rapid.IntRange(0, len(keys)).Draw(t, "place")
		keys = slices.Insert(keys, place, drawListedKey(t, defaultKey))
	}
	return keys
}

func drawListedKey(t *rapid.T, value string) listedKey {
	key := listedKey{value: value, hasViews: rare(t, 5)}
	if key.expires = rapid.Bool().Draw(t, "expires"); key.expires {
		key.expiry = drawMoment(t)
	}
	return key
}

// drawKey draws a key that is easy to find in a log, and rarely an empty one.
func drawKey(t *rapid.T, kind string) string {
	if rare(t, 15) {
		return ""
	}
	return fmt.Sprintf("%s-%s-%04d", kind, secret, rapid.IntRange(1, 4).Draw(t, "key"))
}

func drawMoment(t *rapid.T) moment { return moment{ahead: aheads.Draw(t, "ahead")} }

func drawFilter(t *rapid.T) filter {
	return filter{key: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "key"), version: versions.Draw(t, "version")}
}

func rare(t *rapid.T, n int) bool { return rapid.IntRange(1, n).Draw(t, "rare") == n }
