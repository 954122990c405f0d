package page

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/envjson"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// environment is a known environment.
type environment struct {
	shown      shownEnvironment
	text       json.RawMessage // as received; holds whole keys
	nextExpiry time.Time       // of one of its keys; zero: none expires
}

// shownEnvironment is an environment as pages get it, with masked keys.
type shownEnvironment struct {
	envjson.Environment
	Version int `json:"version"`
}

// maxSingleEntries is how many environments may change at once to have an entry each in the log.
const maxSingleEntries = 20

// Changes takes a change of the configuration, with the semantics of autoconfig.ChangeHandler. A change whose text can't be
// decoded is left out.
func (p *Page) Changes(_ bool, changes []autoconfig.Change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	var u update
	var entries []pendingEntry
	for _, c := range changes {
		switch c.Kind {
		case autoconfig.EnvironmentChanged:
			entries = p.setEnvironment(now, c, &u, entries)
		case autoconfig.EnvironmentDeleted, autoconfig.EnvironmentRemoved:
			if env := p.environments[c.ID]; env != nil {
				delete(p.environments, c.ID)
				u.GoneEnvironments = append(u.GoneEnvironments, c.ID)
				entries = append(entries, pendingEntry{kindRemoved, env.name(), "environment removed"})
			}
		case autoconfig.FilterChanged, autoconfig.FilterDeleted, autoconfig.FilterRemoved:
			entries = p.setFilter(c, entries)
		}
	}
	p.logChanges(now, entries, &u)
	p.publish(now, u)
}

// pendingEntry is an entry that is merged with others if there are many.
type pendingEntry struct {
	kind          kind
	subject, text string
}

func (p *Page) setEnvironment(now time.Time, c autoconfig.Change, u *update, entries []pendingEntry) []pendingEntry {
	params, err := decode(c.Text)
	if err != nil {
		return entries
	}
	before := p.environments[c.ID]
	after := newEnvironment(params, c.Version, c.Text, now)
	p.environments[c.ID] = after
	p.expireNext(after.nextExpiry)
	u.Environments = append(u.Environments, after.shown)
	e := pendingEntry{kindAdded, after.name(), "environment added"}
	if before != nil {
		former, err := decode(before.text)
		if err != nil {
			return entries
		}
		differences := change.Differences(former.At(now), params.At(now))
		switch {
		case len(differences) > 0:
			e = pendingEntry{kindUpdated, after.name(), strings.Join(differences, "; ")}
		case before.shown.Version == c.Version:
			return entries // the same again
		default:
			e = pendingEntry{kindUpdated, after.name(), fmt.Sprintf("version %d", c.Version)}
		}
	}
	return append(entries, e)
}

func decode(text json.RawMessage) (envfactory.EnvironmentParams, error) {
	var rep envfactory.EnvironmentRep
	if err := json.Unmarshal(text, &rep); err != nil {
		return envfactory.EnvironmentParams{}, err
	}
	return rep.ToParams(), nil
}

func newEnvironment(params envfactory.EnvironmentParams, version int, text json.RawMessage, now time.Time) *environment {
	params = params.At(now)
	env := &environment{
		shown: shownEnvironment{envjson.FromEnvironment(params, envjson.Masked), version},
		text:  text,
	}
	env.nextExpiry = params.ExpiringSDKKeyTime
	for _, k := range params.AcceptedMobileKeys {
		if !k.Expiry.IsZero() && (env.nextExpiry.IsZero() || k.Expiry.Before(env.nextExpiry)) {
			env.nextExpiry = k.Expiry
		}
	}
	return env
}

func (e *environment) name() string { return e.shown.ProjKey + "/" + e.shown.EnvKey }

func (p *Page) setFilter(c autoconfig.Change, entries []pendingEntry) []pendingEntry {
	name, known := p.filters[c.ID]
	if c.Kind != autoconfig.FilterChanged {
		if known {
			delete(p.filters, c.ID)
			entries = append(entries, pendingEntry{kindRemoved, name, "filter removed"})
		}
		return entries
	}
	var rep envfactory.FilterRep
	if err := json.Unmarshal(c.Text, &rep); err != nil {
		return entries
	}
	params := rep.ToParams(config.FilterID(c.ID))
	p.filters[c.ID] = params.ProjKey + "/" + string(params.Key)
	if !known {
		entries = append(entries, pendingEntry{kindAdded, p.filters[c.ID], "filter added"})
	}
	return entries
}

// logChanges adds entries to the log, or one for all if they are many.
func (p *Page) logChanges(now time.Time, entries []pendingEntry, u *update) {
	if len(entries) <= maxSingleEntries {
		for _, e := range entries {
			u.Log = append(u.Log, p.log.add(now, e.kind, e.subject, e.text))
		}
		return
	}
	counts := map[kind]int{}
	for _, e := range entries {
		counts[e.kind]++
	}
	var words []string
	for _, k := range []kind{kindAdded, kindUpdated, kindRemoved} {
		if counts[k] > 0 {
			words = append(words, fmt.Sprintf("%d %s", counts[k], k))
		}
	}
	u.Log = append(u.Log, p.log.add(now, kindConfiguration, "", "Many changes at once: "+strings.Join(words, ", ")))
}

// expireNext notes that a key expires at t.
func (p *Page) expireNext(t time.Time) {
	if !t.IsZero() && (p.nextExpiry.IsZero() || t.Before(p.nextExpiry)) {
		p.nextExpiry = t
	}
}

// expireKeys takes the keys out whose time has come.
func (p *Page) expireKeys(now time.Time, u *update) {
	if p.nextExpiry.IsZero() || now.Before(p.nextExpiry) {
		return
	}
	p.nextExpiry = time.Time{}
	for id, env := range p.environments {
		if !env.nextExpiry.IsZero() && !now.Before(env.nextExpiry) {
			params, err := decode(env.text)
			if err != nil {
				continue
			}
			later := newEnvironment(params, env.shown.Version, env.text, now)
			for _, key := range missing(env.shown.AcceptedSDKKeys, later.shown.AcceptedSDKKeys) {
				u.Log = append(u.Log, p.log.add(now, kindKeyExpired, env.name(), "key "+key+" has expired"))
			}
			for _, key := range missing(env.shown.AcceptedMobileKeys, later.shown.AcceptedMobileKeys) {
				u.Log = append(u.Log, p.log.add(now, kindKeyExpired, env.name(), "mobile key "+key+" has expired"))
			}
			p.environments[id], env = later, later
			u.Environments = append(u.Environments, later.shown)
		}
		p.expireNext(env.nextExpiry)
	}
}

// missing returns the values of the keys in before that are not in after.
func missing(before, after []envjson.Key) (values []string) {
	left := map[string]int{}
	for _, k := range after {
		left[k.Name+"\x00"+k.Value]++
	}
	for _, k := range before {
		if name := k.Name + "\x00" + k.Value; left[name] > 0 {
			left[name]--
		} else {
			values = append(values, k.Value)
		}
	}
	return values
}
