// Package model plays random histories of a service to a manager, and compares what the relay is told with what a
// reference model says it should be told.
//
// A history is played in the time of testing/synctest, over a transport in memory, so thousands take seconds. For
// millions: go test -timeout=0 -rapid.checks=1000000.
package model

import "time"

// step is one thing that happens in a history: one of the types below.
type step any

// What the service sends.
type (
	put struct {
		path         string
		environments []member[environment]
		filters      []member[filter]
		broken       bool // at its end
	}
	patch struct {
		path string
		env  environment
	}
	filterPatch struct {
		path   string
		filter filter
	}
	remove struct {
		path    string
		version int
	}
	malformed  struct{ name, data string } // an event whose data is broken
	unknown    struct{ name, data string } // an event whose name means nothing
	comment    struct{ text string }
	retryField struct{ millis int }
	reconnect  struct{ data string }
	burst      struct{ steps []step } // several of these at once
)

// What else happens.
type (
	pause   struct{ d time.Duration }
	silence struct{}                   // nothing comes for as long as the read timeout
	drop    struct{ midway step }      // the line drops in the middle of this event; between events if it is nil
	outage  struct{ answers []answer } // the line drops, and the next requests are answered so
	rotate  struct{}                   // the relay's owner changes the auto-configuration key
)

// answer is how a request fails. Status 0 is a connection that is refused.
type answer struct{ status int }

// slow says whether the answer puts the manager on its slow schedule.
func (a answer) slow() bool { return a.status == 404 || a.status == 410 }

// member is an entry of one of a put's maps, in the order of the text.
type member[V any] struct {
	id    string
	value V
}

// environment is an environment as the service sends it. Its name is another one in each message.
type environment struct {
	id, name  string
	version   int
	sdk       string // the default SDK key
	old       string // the expiring key beside it; empty if there is none
	oldExpiry moment
	sdkKeys   []listedKey
	mobile    string
	mobiles   []listedKey
	padding   int // bytes that mean nothing; with many, a put comes in parts
}

// listedKey is an entry in a list of accepted keys.
type listedKey struct {
	value    string
	expires  bool
	expiry   moment
	hasViews bool
}

// moment is a time: in a history how far from when it is sent, and then what that comes to.
type moment struct {
	ahead time.Duration
	at    time.Time
}

type filter struct {
	key     string
	version int
}

// resolve fixes the times of an environment that is sent now.
func (e environment) resolve(now time.Time) environment {
	e.oldExpiry.at = now.Add(e.oldExpiry.ahead)
	e.sdkKeys = resolveKeys(e.sdkKeys, now)
	e.mobiles = resolveKeys(e.mobiles, now)
	return e
}

func resolveKeys(keys []listedKey, now time.Time) []listedKey {
	resolved := make([]listedKey, len(keys))
	for i, key := range keys {
		key.expiry.at = now.Add(key.expiry.ahead)
		resolved[i] = key
	}
	return resolved
}

// resolve fixes the times in a step that is sent now.
func resolve(s step, now time.Time) step {
	switch s := s.(type) {
	case put:
		environments := make([]member[environment], len(s.environments))
		for i, m := range s.environments {
			environments[i] = member[environment]{m.id, m.value.resolve(now)}
		}
		s.environments = environments
		return s
	case patch:
		s.env = s.env.resolve(now)
		return s
	}
	return s
}
