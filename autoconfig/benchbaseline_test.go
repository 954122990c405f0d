package autoconfig_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/launchdarkly/eventsource"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

// baseline is the client that one would write by hand: eventsource for the stream, encoding/json for the events, and a
// map of what is known. It makes the same calls of the same handler. To be quick to read, and so as not to be slower
// than it must, it does without much of what relayconf does: filters, expiring keys, checks of keys, status.
type baseline struct {
	handler autoconfig.MessageHandler
	known   map[config.EnvironmentID]baselineEntry
}

type baselineEntry struct {
	version int
	deleted bool
	rep     envfactory.EnvironmentRep
}

func (c *baseline) follow(events <-chan eventsource.Event) error {
	for event := range events {
		data := []byte(event.Data())
		var err error
		switch event.Event() {
		case autoconfig.PutEvent:
			var put autoconfig.PutMessageData
			if err = json.Unmarshal(data, &put); err == nil && put.Path == "/" {
				c.put(put.Data)
			}
		case autoconfig.PatchEvent:
			var patch autoconfig.PatchMessageData
			if err = json.Unmarshal(data, &patch); err == nil {
				c.patch(patch)
			}
		case autoconfig.DeleteEvent:
			var deletion autoconfig.DeleteMessageData
			if err = json.Unmarshal(data, &deletion); err == nil {
				c.delete(deletion)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *baseline) put(content autoconfig.PutContent) {
	for id, rep := range content.Environments {
		c.take(id, rep)
	}
	for id, entry := range c.known {
		if _, ok := content.Environments[id]; ok {
			continue
		}
		delete(c.known, id)
		if !entry.deleted {
			c.handler.DeleteEnvironment(id)
		}
	}
	c.handler.ReceivedAllEnvironments()
}

func (c *baseline) patch(patch autoconfig.PatchMessageData) {
	if id, ok := strings.CutPrefix(patch.Path, "/environments/"); ok {
		c.take(config.EnvironmentID(id), patch.Data)
	}
}

func (c *baseline) take(id config.EnvironmentID, rep envfactory.EnvironmentRep) {
	entry, ok := c.known[id]
	if rep.EnvID != id || ok && rep.Version <= entry.version {
		return
	}
	c.known[id] = baselineEntry{version: rep.Version, rep: rep}
	if ok && !entry.deleted {
		c.handler.UpdateEnvironment(rep.ToParams())
	} else {
		c.handler.AddEnvironment(rep.ToParams())
	}
}

func (c *baseline) delete(deletion autoconfig.DeleteMessageData) {
	path, ok := strings.CutPrefix(deletion.Path, "/environments/")
	id := config.EnvironmentID(path)
	entry, known := c.known[id]
	if !ok || known && deletion.Version <= entry.version {
		return
	}
	c.known[id] = baselineEntry{version: deletion.Version, deleted: true}
	if known && !entry.deleted {
		c.handler.DeleteEnvironment(id)
	}
}

func newBaselineClient(s *benchService) *benchClient {
	seen := newProgress()
	transport := &http.Transport{}
	request, err := http.NewRequest(http.MethodGet, s.url, nil)
	require.NoError(s.t, err)
	request.Header.Set("Authorization", string(benchKey))
	stream, err := eventsource.SubscribeWithRequestAndOptions(request,
		eventsource.StreamOptionHTTPClient(&http.Client{Transport: transport}),
		eventsource.StreamOptionReadTimeout(5*time.Minute))
	require.NoError(s.t, err)
	c := &baseline{handler: seen, known: map[config.EnvironmentID]baselineEntry{}}
	done := make(chan error, 1)
	go func() { done <- c.follow(stream.Events) }()
	return s.client(seen, func() {
		stream.Close()
		transport.CloseIdleConnections()
		require.NoError(s.t, <-done)
	})
}
