package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	prettytext "github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
)

func TestEachFleetCommandHasExamplesOfItself(t *testing.T) {
	for _, cmd := range newFleet().Commands() {
		assert.Contains(t, cmd.Example, "  relayconf fleet "+cmd.Name(), cmd.Name())
	}
}

// The answers of a relay to a call are its own words.
func TestJSONOfTheFleetDoesNotSteerTheTerminal(t *testing.T) {
	const name = "\u009b31m \u202eevil \x7f <é> \u2028"
	want := map[string]string{"name": name}
	text, err := json.Marshal(want)
	require.NoError(t, err)
	for _, value := range []any{want, json.RawMessage(text)} {
		var out strings.Builder
		require.NoError(t, printJSON(&out, value))
		assert.NotContains(t, strings.Map(func(r rune) rune {
			if r == '\n' || unicode.IsPrint(r) {
				return -1
			}
			return '!'
		}, out.String()), "!")
		assert.Contains(t, out.String(), "é")
		assert.JSONEq(t, string(text), out.String())
	}
}

func TestTheTableOfRelaysFitsTheTerminal(t *testing.T) {
	now := time.Now()
	relays := []fleet.RelayJSON{
		{Name: "eu-1", Connected: true, Agent: true, InSync: true, Address: "127.0.0.1:41234", Version: "relayconf/v1.2.3", Since: now.Add(-3 * time.Hour), RoundTripSeconds: new(0.0123)},
		{Name: "a-relay-with-a-name-as-long-as-names-of-machines-get", Connected: true, Agent: true, Address: "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535",
			Version: "RelayProxy/8.11.2 (linux; amd64; a long user agent)", Since: now.Add(-51 * time.Hour), BehindSeconds: new(95.0)},
		{Name: "東京-リレー", Address: "10.0.0.1:1", Since: now.Add(-time.Minute)},
	}
	for _, row := range []struct {
		width   int
		relays  []fleet.RelayJSON
		columns string
		cut     bool
	}{
		{0, relays, "NAME SYNC ADDRESS SINCE RTT VERSION", false},
		{500, relays, "NAME SYNC ADDRESS SINCE RTT VERSION", false},
		{100, relays, "NAME SYNC SINCE RTT", false},
		{80, relays, "NAME SYNC SINCE", false},
		{60, relays, "NAME SYNC", true},
		{40, relays, "NAME SYNC", true},
		{80, relays[:1], "NAME SYNC ADDRESS SINCE RTT VERSION", false},
		{60, relays[:1], "NAME SYNC ADDRESS SINCE RTT", false},
		{40, relays[:1], "NAME SYNC SINCE RTT", false},
	} {
		t.Run(fmt.Sprintf("%d relays, %d columns", len(row.relays), row.width), func(t *testing.T) {
			var out strings.Builder
			require.NoError(t, printRelays(&out, fleet.ListJSON{Complete: true, Relays: row.relays}, row.width, now))
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			assert.Equal(t, row.columns, strings.Join(strings.Fields(lines[0]), " "))
			assert.Len(t, lines, 1+len(row.relays), "a line for each")
			for _, line := range lines {
				assert.True(t, row.width == 0 || prettytext.StringWidth(line) <= row.width, line)
			}
			for i, r := range row.relays {
				assert.Contains(t, lines[1+i], syncText(r))
				assert.True(t, row.cut || strings.HasPrefix(lines[1+i], r.Name+" "), lines[1+i])
			}
			assert.Equal(t, row.cut, strings.Contains(out.String(), "…"))
		})
	}
}
