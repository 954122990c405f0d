package change

import (
	"github.com/relayconf/relayconf/cmd/relayconf/internal/envjson"
	"github.com/relayconf/relayconf/envfactory"
)

// message is the JSON form of a change. Its fields are stable; which of them are there depends on the change.
type message struct {
	Time         envjson.Time         `json:"time"`
	Change       Kind                 `json:"change"`
	Environment  *envjson.Environment `json:"environment,omitempty"`
	Before       *envjson.Environment `json:"before,omitempty"`
	Changed      []string             `json:"changed,omitempty"` // the names of the fields that differ
	Key          string               `json:"key,omitempty"`     // the expired one
	Filter       *envjson.Filter      `json:"filter,omitempty"`
	Environments *int                 `json:"environments,omitempty"`
	Filters      *int                 `json:"filters,omitempty"`
	Comment      *string              `json:"comment,omitempty"`
	Reason       string               `json:"reason,omitempty"`
	LostSeconds  *float64             `json:"lostSeconds,omitempty"`
	Source       string               `json:"source,omitempty"` // stream or cache
	AgeSeconds   *float64             `json:"ageSeconds,omitempty"`
	Lines        int                  `json:"lines,omitempty"`
}

// JSON encodes a change as one line of JSON, which ends with a line feed.
func JSON(c Change, keys envjson.Keys) []byte {
	m := message{Time: envjson.Time(c.Time), Change: c.Kind}
	environment := func(p envfactory.EnvironmentParams) *envjson.Environment {
		form := envjson.FromEnvironment(p, keys)
		return &form
	}
	switch c.Kind {
	case Added, Removed:
		m.Environment = environment(c.Env)
	case Updated:
		m.Environment, m.Before = environment(c.Env), environment(c.Before)
		m.Changed = changedFields(c.Before, c.Env)
	case KeyExpired:
		m.Environment, m.Key = environment(c.Env), keys.SDK(c.SDKKey)
	case MobileKeyExpired:
		m.Environment, m.Key = environment(c.Env), keys.Mobile(c.MobileKey)
	case FilterAdded, FilterRemoved:
		form := envjson.FromFilter(c.Filter)
		m.Filter = &form
	case ReceivedAll:
		m.Environments, m.Filters, m.Source = &c.Environments, &c.Filters, "stream"
		if c.FromCache {
			m.Source = "cache"
		}
	case KeepAlive:
		m.Comment = &c.Comment
	case Interrupted:
		m.Reason = c.Reason
	case Recovered:
		seconds := c.Lost.Seconds()
		m.LostSeconds = &seconds
	case LeftOut:
		m.Lines = c.Lines
	case CacheLoaded:
		seconds := c.Age.Seconds()
		m.Environments, m.AgeSeconds = &c.Environments, &seconds
	}
	line, err := envjson.Line(m)
	if err != nil {
		panic("the JSON form of a change holds only strings, numbers and times that can't fail: " + err.Error())
	}
	return line
}
