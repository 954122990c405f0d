package autoconfig

import (
	"math"

	"github.com/launchdarkly/go-sdk-common/v3/ldtime"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// environmentMaker makes environments of their text. It holds memory that is of use for the next environment.
type environmentMaker struct {
	scratch  []byte
	projects map[string]*project // by key, a zero byte, and name
	last     *project            // environments of a project often come one after another
}

// mostProjects is how many projects a maker remembers, so that one that lives long does not keep old ones for ever.
const mostProjects = 10_000

// fill makes fresh of the text of an environment. It shares the memory of what is known of the same environment, where
// that says the same; known may be nil.
func (m *environmentMaker) fill(fresh *item[environment], e *environmentText, text []byte, known *item[environment]) {
	old := ""
	if known != nil {
		old = known.value.strings
		if known.value.project.is(e.projKey, e.projName) {
			m.last = known.value.project
		}
	}
	fresh.version, fresh.value = e.version, m.make(e, old)
	fresh.value.setText(text)
}

// make returns the environment in the form in which it is kept. Its strings may be the old ones.
func (m *environmentMaker) make(e *environmentText, old string) environment {
	project := m.project(e.projKey, e.projName)
	lengths := [...]int{len(e.envID), len(e.envKey), len(e.envName), len(e.mobKey)}
	fits := e.sdkKeys == nil && e.mobileKeys == nil && e.expiringKey == nil && e.expiringTime == 0 && fitsTTL(e.defaultTTL)
	made := environment{project: project, defaultTTL: uint16(e.defaultTTL), secureMode: e.secureMode}
	for i, length := range lengths {
		fits = fits && length <= math.MaxUint16
		made.lengths[i] = uint16(length)
	}
	m.scratch = e.appendStrings(m.scratch[:0])
	strings := old
	if string(m.scratch) != old {
		strings = string(m.scratch)
	}
	if !fits {
		return environment{whole: e.rep(strings, project)}
	}
	made.strings = strings
	return made
}

// appendStrings appends every string but those of the project. The order is the one of environment.strings, and of rep.
func (e *environmentText) appendStrings(to []byte) []byte {
	for _, part := range [...][]byte{e.envID, e.envKey, e.envName, e.mobKey, e.sdkKey, e.expiringKey} {
		to = append(to, part...)
	}
	for _, list := range [...][]keyText{e.sdkKeys, e.mobileKeys} {
		for i := range list {
			to = append(append(to, list[i].key...), list[i].value...)
		}
	}
	return to
}

// rep returns the environment in full. Its strings are parts of one, which appendStrings has put together.
func (e *environmentText) rep(strings string, shared *project) *envfactory.EnvironmentRep {
	next := func(part []byte) (s string) {
		s, strings = strings[:len(part)], strings[len(part):]
		return s
	}
	rep := &envfactory.EnvironmentRep{
		EnvID:    config.EnvironmentID(next(e.envID)),
		EnvKey:   next(e.envKey),
		EnvName:  next(e.envName),
		ProjKey:  shared.key,
		ProjName: shared.name,
		MobKey:   config.MobileKey(next(e.mobKey)),
		SDKKey: envfactory.SDKKeyRep{Value: config.SDKKey(next(e.sdkKey)), Expiring: envfactory.ExpiringKeyRep{
			Value: config.SDKKey(next(e.expiringKey)), Timestamp: ldtime.UnixMillisecondTime(e.expiringTime),
		}},
		DefaultTTL: e.defaultTTL,
		SecureMode: e.secureMode,
		Version:    e.version,
	}
	rep.SDKKeys = keyReps(e.sdkKeys, next)
	rep.MobileKeys = keyReps(e.mobileKeys, next)
	return rep
}

func keyReps(list []keyText, next func([]byte) string) []envfactory.ConcurrentKeyRep {
	if list == nil {
		return nil
	}
	reps := make([]envfactory.ConcurrentKeyRep, len(list))
	for i := range list {
		k := &list[i]
		reps[i] = envfactory.ConcurrentKeyRep{Key: next(k.key), Value: next(k.value), HasViews: k.hasViews}
		if k.expires {
			expiry := ldtime.UnixMillisecondTime(k.expiry)
			reps[i].Expiry = &expiry
		}
	}
	return reps
}

// project returns the names in the form in which the environments of the project share them.
func (m *environmentMaker) project(key, name []byte) *project {
	if m.last.is(key, name) {
		return m.last
	}
	m.scratch = append(append(append(m.scratch[:0], key...), 0), name...)
	shared := m.projects[string(m.scratch)]
	if !shared.is(key, name) { // not known, or there are zero bytes in the names
		joined := string(m.scratch)
		shared = &project{key: joined[:len(key)], name: joined[len(key)+1:]}
		if m.projects == nil || len(m.projects) >= mostProjects {
			m.projects = map[string]*project{}
		}
		m.projects[joined] = shared
	}
	m.last = shared
	return shared
}

func (p *project) is(key, name []byte) bool {
	return p != nil && p.key == string(key) && p.name == string(name)
}
