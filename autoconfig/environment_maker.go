package autoconfig

import (
	"math"

	"github.com/launchdarkly/go-sdk-common/v3/ldtime"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// environmentMaker makes environments of their text. It holds memory that is of use for the next environment.
type environmentMaker struct{ scratch []byte }

// fill makes fresh of the text of an environment. It takes the strings of what is known of the same environment, if they
// are the same; known may be nil.
func (m *environmentMaker) fill(fresh *item[environment], e *environmentText, text []byte, known *item[environment]) {
	m.scratch = e.appendStrings(m.scratch[:0])
	var strings string
	if known != nil && known.value.strings == string(m.scratch) {
		strings = known.value.strings
	} else {
		strings = string(m.scratch)
	}
	fresh.version, fresh.value = e.version, e.environment(strings)
	fresh.value.setText(text)
}

// environment returns the environment in the form in which it is kept. Its strings are the ones of appendStrings.
func (e *environmentText) environment(strings string) environment {
	fits := e.sdkKeys == nil && e.mobileKeys == nil && e.expiringKey == nil && e.expiringTime == 0 && fitsTTL(e.defaultTTL)
	made := environment{strings: strings, defaultTTL: uint16(e.defaultTTL), secureMode: e.secureMode}
	lengths := [...]int{len(e.envID), len(e.envKey), len(e.envName), len(e.projKey), len(e.projName), len(e.mobKey)}
	for i, length := range lengths {
		fits = fits && length <= math.MaxUint16
		made.lengths[i] = uint16(length)
	}
	if !fits {
		return environment{whole: e.rep(strings)}
	}
	return made
}

// appendStrings appends every string. The order is the one of environment.strings, and of rep.
func (e *environmentText) appendStrings(to []byte) []byte {
	for _, part := range [...][]byte{e.envID, e.envKey, e.envName, e.projKey, e.projName, e.mobKey, e.sdkKey, e.expiringKey} {
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
func (e *environmentText) rep(strings string) *envfactory.EnvironmentRep {
	next := func(part []byte) (s string) {
		s, strings = strings[:len(part)], strings[len(part):]
		return s
	}
	rep := &envfactory.EnvironmentRep{
		EnvID:    config.EnvironmentID(next(e.envID)),
		EnvKey:   next(e.envKey),
		EnvName:  next(e.envName),
		ProjKey:  next(e.projKey),
		ProjName: next(e.projName),
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
