package model

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// relay writes its calls down, and checks on its own, without the model, that each is legal.
type relay struct {
	mu      sync.Mutex
	calls   []string
	illegal []string
	added   map[string][]expiringKey // the keys that are yet to expire, by environment
	filters map[string]bool
}

var (
	_ autoconfig.MessageHandler   = (*relay)(nil)
	_ autoconfig.FilterHandler    = (*relay)(nil)
	_ autoconfig.MobileKeyHandler = (*relay)(nil)
	_ autoconfig.KeepAliveHandler = (*relay)(nil)
)

func newRelay() *relay { return &relay{added: map[string][]expiringKey{}, filters: map[string]bool{}} }

func (r *relay) called(legal bool, words ...string) {
	call := strings.Join(words, " ")
	r.calls = append(r.calls, call)
	if !legal {
		r.illegal = append(r.illegal, call)
	}
}

// take returns the calls since the last time.
func (r *relay) take() (calls, illegal []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls, r.calls = r.calls, nil
	return calls, r.illegal
}

func (r *relay) AddEnvironment(p envfactory.EnvironmentParams) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, there := r.added[string(p.EnvID)]
	r.called(!there, "add", describe(p))
	r.added[string(p.EnvID)] = expiringOf(p)
}

func (r *relay) UpdateEnvironment(p envfactory.EnvironmentParams) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, there := r.added[string(p.EnvID)]
	r.called(there, "update", describe(p))
	r.added[string(p.EnvID)] = expiringOf(p)
}

func (r *relay) DeleteEnvironment(id config.EnvironmentID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, there := r.added[string(id)]
	r.called(there, "delete", string(id))
	delete(r.added, string(id))
}

func (r *relay) ReceivedAllEnvironments() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.called(true, "all")
}

func (r *relay) KeyExpired(id config.EnvironmentID, key config.SDKKey) {
	r.expired(string(id), "sdk", string(key))
}

func (r *relay) MobileKeyExpired(id config.EnvironmentID, key config.MobileKey) {
	r.expired(string(id), "mobile", string(key))
}

// expired is legal once, at the time that was announced, while the environment is there.
func (r *relay) expired(env, kind, key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	call := expiringKey{env, kind, key, time.Now()}
	at := slices.IndexFunc(r.added[env], func(k expiringKey) bool {
		return k.kind == kind && k.key == key && k.at.Equal(call.at)
	})
	r.called(at >= 0, expiredCall(call))
	if at >= 0 {
		r.added[env] = slices.Delete(r.added[env], at, at+1)
	}
}

func (r *relay) AddFilter(p envfactory.FilterParams) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.called(!r.filters[string(p.ID)], "add filter", string(p.ID), string(p.Key))
	r.filters[string(p.ID)] = true
}

func (r *relay) DeleteFilter(id config.FilterID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.called(r.filters[string(id)], "delete filter", string(id))
	delete(r.filters, string(id))
}

func (r *relay) KeepAlive(comment string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.called(true, "keepalive", comment)
}

func expiringOf(p envfactory.EnvironmentParams) []expiringKey {
	keys := []expiringKey{}
	for _, k := range p.AcceptedSDKKeys {
		if !k.Expiry.IsZero() {
			keys = append(keys, expiringKey{string(p.EnvID), "sdk", string(k.Value), k.Expiry})
		}
	}
	for _, k := range p.AcceptedMobileKeys {
		if !k.Expiry.IsZero() {
			keys = append(keys, expiringKey{string(p.EnvID), "mobile", string(k.Value), k.Expiry})
		}
	}
	return keys
}

// describe writes params as the model does, keys whole.
func describe(p envfactory.EnvironmentParams) string {
	return paramsText(string(p.EnvID), p.Identifiers.EnvName, string(p.SDKKey), string(p.MobileKey),
		acceptedKey{string(p.ExpiringSDKKey), p.ExpiringSDKKeyTime},
		acceptedText(p.AcceptedSDKKeys), acceptedText(p.AcceptedMobileKeys))
}

func acceptedText[K config.SDKKey | config.MobileKey](keys []envfactory.AcceptedKey[K]) string {
	var all []string
	for _, key := range keys {
		all = append(all, acceptedKey{string(key.Value), key.Expiry}.text())
	}
	return strings.Join(all, " ")
}

// sortTies puts keys that expire at the same moment in one order: the rules don't say which goes first.
func sortTies(calls []string) []string {
	sorted := slices.Clone(calls)
	for i := 0; i < len(sorted); {
		end := i + 1
		for end < len(sorted) && expiryOf(sorted[i]) != "" && expiryOf(sorted[i]) == expiryOf(sorted[end]) {
			end++
		}
		slices.Sort(sorted[i:end])
		i = end
	}
	return sorted
}

func expiryOf(call string) (at string) {
	_, _ = fmt.Sscanf(call, "expired %s", &at)
	return at
}
