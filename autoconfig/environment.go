package autoconfig

import (
	"math"
	"strings"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// environment is an EnvironmentRep in a form that takes little memory, since relays keep tens of thousands of them:
// its strings are one, so that they take one allocation and one header. Once it is made, only the text that it is known
// by changes.
type environment struct {
	strings string // envID, envKey, envName, projKey, projName, mobKey and sdkKey.value, one after another

	// whole has everything if there is more than the other fields can say: lists of keys, an expiring key, or values
	// that are unusually large. The other fields are zero then.
	whole *envfactory.EnvironmentRep

	// The JSON text that this was decoded from, as a hash and a length: the same text need not be decoded again. There is
	// none if the length is 0.
	textHash   uint64
	textLength uint32

	lengths    [6]uint16 // of all but the last of strings
	defaultTTL uint16
	secureMode bool
}

// environmentOf returns the compact form of rep, which it may keep a pointer to. The version is kept elsewhere.
func environmentOf(rep *envfactory.EnvironmentRep) environment {
	e := environment{}
	parts := [...]string{string(rep.EnvID), rep.EnvKey, rep.EnvName, rep.ProjKey, rep.ProjName, string(rep.MobKey),
		string(rep.SDKKey.Value)}
	fits := rep.SDKKeys == nil && rep.MobileKeys == nil && rep.SDKKey.Expiring == envfactory.ExpiringKeyRep{} &&
		fitsTTL(rep.DefaultTTL)
	for i := range e.lengths {
		fits = fits && len(parts[i]) <= math.MaxUint16
		e.lengths[i] = uint16(len(parts[i]))
	}
	if !fits {
		return environment{whole: rep}
	}
	e.strings = strings.Join(parts[:], "")
	e.defaultTTL, e.secureMode = uint16(rep.DefaultTTL), rep.SecureMode
	return e
}

func fitsTTL(minutes int) bool { return minutes >= 0 && minutes <= math.MaxUint16 }

// id is a part of a longer string: do not keep it longer than the environment.
func (e *environment) id() config.EnvironmentID {
	if e.whole != nil {
		return e.whole.EnvID
	}
	return config.EnvironmentID(e.strings[:e.lengths[0]])
}

// rep returns the environment as it was received. Its strings and lists are the environment's own.
func (e *environment) rep(version int) envfactory.EnvironmentRep {
	if e.whole != nil {
		return *e.whole
	}
	var parts [len(e.lengths)]string
	rest := e.strings
	for i, length := range e.lengths {
		parts[i], rest = rest[:length], rest[length:]
	}
	return envfactory.EnvironmentRep{
		EnvID:      config.EnvironmentID(parts[0]),
		EnvKey:     parts[1],
		EnvName:    parts[2],
		ProjKey:    parts[3],
		ProjName:   parts[4],
		MobKey:     config.MobileKey(parts[5]),
		SDKKey:     envfactory.SDKKeyRep{Value: config.SDKKey(rest)},
		DefaultTTL: int(e.defaultTTL),
		SecureMode: e.secureMode,
		Version:    version,
	}
}

// params returns what a relay needs to know of the environment at a certain time.
func (e *environment) params(version int, now time.Time) envfactory.EnvironmentParams {
	params := e.rep(version).ToParams()
	if e.mayExpire() {
		params = params.At(now)
	}
	return params
}

// validateKeys says whether the keys contradict each other.
func (e *environment) validateKeys() error {
	others := 0
	for _, length := range e.lengths {
		others += int(length)
	}
	if e.whole == nil && len(e.strings) > others {
		return nil // there is an SDK key, and no list that it could contradict
	}
	return e.rep(0).ValidateKeys()
}

// mayExpire is false if no key of the environment ever expires.
func (e *environment) mayExpire() bool { return e.whole != nil }
