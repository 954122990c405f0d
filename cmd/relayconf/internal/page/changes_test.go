package page

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
)

// lines returns the log without its times.
func (p *Page) lines() (lines []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.log.entries {
		lines = append(lines, fmt.Sprintf("%s %s %s", e.Kind, e.Subject, e.Text))
	}
	return lines
}

func TestWhatTheLogSaysOfChanges(t *testing.T) {
	first := environmentText("e1", "production", 1, "")
	for _, row := range []struct {
		name   string
		change autoconfig.Change
		want   []string
	}{
		{"a new environment", environmentText("e2", "test", 1, ""), []string{"added web/test environment added"}},
		{"another name", environmentText("e1", "live", 2, ""), []string{
			`updated web/live name "production" -> "live"; environment key "production" -> "live"`}},
		{"another version", environmentText("e1", "production", 2, ""), []string{"updated web/production version 2"}},
		{"the same again", first, nil},
		{"deleted", autoconfig.Change{Kind: autoconfig.EnvironmentDeleted, ID: "e1", Version: 2}, []string{"removed web/production environment removed"}},
		{"removed", autoconfig.Change{Kind: autoconfig.EnvironmentRemoved, ID: "e1"}, []string{"removed web/production environment removed"}},
		{"an unknown one deleted", autoconfig.Change{Kind: autoconfig.EnvironmentDeleted, ID: "e9", Version: 2}, nil},
		{"a text that is not JSON", autoconfig.Change{Kind: autoconfig.EnvironmentChanged, ID: "e1", Text: json.RawMessage("[]")}, nil},
		{"a filter", autoconfig.Change{Kind: autoconfig.FilterChanged, ID: "f1", Text: json.RawMessage(`{"projKey":"web","key":"few"}`)},
			[]string{"added web/few filter added"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := New(Options{Hub: newHub()})
			defer p.Close()
			p.Changes(true, []autoconfig.Change{first})
			p.Changes(false, []autoconfig.Change{row.change})
			assert.Equal(t, append([]string{"added web/production environment added"}, row.want...), p.lines())
		})
	}
}

func TestManyChangesAtOnceAreOneLine(t *testing.T) {
	p := New(Options{Hub: newHub()})
	defer p.Close()
	var changes []autoconfig.Change
	for i := range maxSingleEntries + 1 {
		changes = append(changes, environmentText(fmt.Sprint(i), "production", 1, ""))
	}
	p.Changes(true, changes)
	changes[0] = autoconfig.Change{Kind: autoconfig.EnvironmentRemoved, ID: "0"}
	for i := range maxSingleEntries {
		changes[i+1].Version++
	}
	p.Changes(true, changes)
	assert.Equal(t, []string{"configuration  Many changes at once: 21 added", "configuration  Many changes at once: 20 updated, 1 removed"}, p.lines())
}

func TestTheLogKeepsTheLatest(t *testing.T) {
	var l changeLog
	for range maxEntries + 3 {
		l.add(time.Now(), kindAdded, "", "")
	}
	assert.Len(t, l.entries, maxEntries)
	assert.EqualValues(t, 4, l.entries[0].Number)
	assert.EqualValues(t, maxEntries+3, l.entries[maxEntries-1].Number)
}

func TestNoPageHoldsAWholeKey(t *testing.T) {
	p := New(Options{Hub: newHub()})
	defer p.Close()
	p.Changes(true, []autoconfig.Change{environmentText("e1", "production", 1, expiring("secret-old", time.Now().Add(time.Hour)))})
	p.Changes(false, []autoconfig.Change{environmentText("e1", "production", 2, "")})
	_, all := p.open()
	data, err := json.Marshal(all)
	require.NoError(t, err)
	assert.NotContains(t, string(data), "secret")
	assert.Contains(t, string(data), "…f-e1")
}

func TestAKeyExpiresAtItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Hub: newHub()})
		defer p.Close()
		p.Changes(true, []autoconfig.Change{
			environmentText("e1", "production", 1, expiring("0001", time.Now().Add(time.Minute))),
			environmentText("e2", "test", 1, expiring("0002", time.Now().Add(time.Hour))),
		})
		_, _ = p.open()
		time.Sleep(time.Minute - time.Millisecond)
		synctest.Wait()
		assert.Len(t, p.lines(), 2)
		time.Sleep(time.Millisecond + watchedInterval)
		synctest.Wait()
		assert.Equal(t, "key-expired web/production key …0001 has expired", p.lines()[2])
		_, all := p.open()
		for _, env := range all.Environments {
			assert.Equal(t, env.ID == "e2", env.ExpiringSDKKey != nil, env.ID)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, "key-expired web/test key …0002 has expired", p.lines()[3])
	})
}
