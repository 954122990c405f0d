// Package wiretest writes the JSON of events for tests.
package wiretest

import (
	"fmt"
	"strings"
	"time"
)

// Epoch is when tests of the rules take place. Expiry times are given in seconds after it.
var Epoch = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// Env is an environment. More members may follow, and win over those before them.
func Env(id string, version int, members ...string) string {
	return fmt.Sprintf(`{"envID":%q,"envKey":%q,"projKey":"p","sdkKey":{"value":"sdk-%s"},"mobKey":"mob-%s","version":%d%s}`,
		id, id, id, id, version, strings.Join(append([]string{""}, members...), ","))
}

// Expiring is the member that gives an environment an old SDK key that expires.
func Expiring(id, oldKey string, at int) string {
	return fmt.Sprintf(`"sdkKey":{"value":"sdk-%s","expiring":{"value":%q,"timestamp":%d}}`,
		id, oldKey, Epoch.Add(time.Duration(at)*time.Second).UnixMilli())
}

// Filter is a filter.
func Filter(key string, version int) string {
	return fmt.Sprintf(`{"projKey":"p","key":%q,"version":%d}`, key, version)
}

// Member is a member of an object.
func Member(id, value string) string { return fmt.Sprintf("%q:%s", id, value) }

// Listed is an environment as a member of a put.
func Listed(id string, version int, members ...string) string {
	return Member(id, Env(id, version, members...))
}

// Put is the data of a put with these members.
func Put(environments ...string) string { return PutWith(environments, nil) }

// PutWith is the data of a put with filters, too.
func PutWith(environments []string, filters []string) string {
	return fmt.Sprintf(`{"path":"/","data":{"environments":{%s},"filters":{%s}}}`,
		strings.Join(environments, ","), strings.Join(filters, ","))
}

// Patch is the data of a patch.
func Patch(id, environment string) string {
	return fmt.Sprintf(`{"path":"/environments/%s","data":%s}`, id, environment)
}

// PatchEnv is the data of a patch with the environment of Env.
func PatchEnv(id string, version int, members ...string) string {
	return Patch(id, Env(id, version, members...))
}

// PatchFilter is the data of a patch with the filter of Filter.
func PatchFilter(id string, version int) string {
	return fmt.Sprintf(`{"path":"/filters/%s","data":%s}`, id, Filter(id, version))
}

// Deletion is the data of a delete.
func Deletion(path string, version int) string {
	return fmt.Sprintf(`{"path":%q,"version":%d}`, path, version)
}
