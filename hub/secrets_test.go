package hub_test

import (
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/hub"
)

// spy keeps all the bytes of one stream.
type spy struct {
	key    hub.Key
	cancel func()
	done   chan struct{}

	mu   sync.Mutex
	text strings.Builder
}

func (s *server) spy(t *testing.T, key hub.Key, id string) *spy {
	response, cancel := s.get(t, request{key: string(key.Key), id: id, filters: true, plain: rand.IntN(2) == 0})
	p := &spy{key: key, cancel: cancel, done: make(chan struct{})}
	p.text.WriteString(fmt.Sprint(response.Status, response.Header))
	go func() {
		defer close(p.done)
		defer response.Body.Close()
		buffer := make([]byte, 4096)
		for {
			n, err := response.Body.Read(buffer)
			p.mu.Lock()
			p.text.Write(buffer[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return p
}

func (p *spy) seen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// secret is in the text of an environment, and tells where it was.
func secret(project, environment, id string, version int) autoconfig.Change {
	change := envIn(project, environment, id, version)
	change.Text = append(change.Text[:len(change.Text)-1:len(change.Text)-1],
		fmt.Sprintf(`,"sdkKey":{"value":"secret:%s/%s:"}}`, project, environment)...)
	return change
}

// TestNoRelayGetsWhatItsKeyMayNotSee plays random changes, moves, and changes of the keys, and looks at every byte on
// every stream.
func TestNoRelayGetsWhatItsKeyMayNotSee(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			projects, environments := []string{"web", "api", "app"}, []string{"prod", "test"}
			pick := func(from []string) string { return from[random.IntN(len(from))] }
			s := newServer(t, changes{}, hub.WithRecentPast(20, 1<<20))
			var keys []hub.Key
			newKey := func() hub.Key {
				key := hub.Key{Name: fmt.Sprint("key", len(keys)), Projects: []string{pick([]string{"web", "a*", "app", "none"})}}
				if random.IntN(2) == 0 {
					key.Projects, key.Environments = nil, []string{pick([]string{"*", "web", "a?i"}) + "/" + pick([]string{"prod", "t*"})}
				}
				key.Key = config.AutoConfigKey(fmt.Sprintf("rel-%d-%d", seed, len(keys)))
				keys = append(keys, key)
				return key
			}
			current := []hub.Key{newKey(), newKey(), newKey()}
			require.NoError(t, s.SetKeys(current))
			var spies []*spy
			live := map[string]int{} // versions
			for step := range 150 {
				id := fmt.Sprint("env", random.IntN(8))
				switch random.IntN(8) {
				case 0, 1, 2, 3:
					live[id] = step
					s.Changes(false, changes{secret(pick(projects), pick(environments), id, step)})
				case 4:
					if _, ok := live[id]; ok {
						s.Changes(true, changes{removed(id)})
						delete(live, id)
					}
				case 5:
					if _, ok := live[id]; ok {
						s.Changes(false, changes{deleted(id, step)})
						delete(live, id)
					}
				case 6:
					spies = append(spies, s.spy(t, keys[random.IntN(len(keys))], ""))
				case 7:
					current[random.IntN(len(current))] = newKey()
					require.NoError(t, s.SetKeys(current))
				}
			}
			for _, p := range spies {
				defer p.cancel()
			}
			for _, p := range spies {
				if s.current(p.key) {
					grant, err := s.Authenticate(p.key.Key)
					require.NoError(t, err)
					d := grant.View(2).Digest
					eventually(t, func() bool { return strings.Contains(p.seen(), "id: "+d) || strings.Contains(p.seen(), "401") })
				}
				p.cancel()
				<-p.done
				for _, project := range projects {
					for _, environment := range environments {
						if !allowed(p.key, project, environment) {
							assert.NotContains(t, p.seen(), "secret:"+project+"/"+environment+":", "key %v", p.key)
						}
					}
				}
			}
		})
	}
}

// allowed is the rule of views, written once more.
func allowed(key hub.Key, project, environment string) bool {
	for _, pattern := range key.Projects {
		if ok, _ := path.Match(pattern+"/*", project+"/"+environment); ok {
			return true
		}
	}
	for _, pattern := range key.Environments {
		if ok, _ := path.Match(pattern, project+"/"+environment); ok {
			return true
		}
	}
	return false
}

func (s *server) current(key hub.Key) bool {
	_, err := s.Authenticate(key.Key)
	return err == nil
}

// TestAStreamTellsNothingOfOtherViews compares two hubs, of which one has more environments, that a key may not see. What
// the key gets, and how, is the same to the byte.
func TestAStreamTellsNothingOfOtherViews(t *testing.T) {
	key := hub.Key{Name: "web", Key: testKey, Projects: []string{"web"}}
	var streams []string
	for _, others := range []bool{false, true} {
		s := newServer(t, changes{})
		require.NoError(t, s.SetKeys([]hub.Key{key}))
		other := func(put bool, c ...autoconfig.Change) {
			if others {
				s.Changes(put, c)
			}
		}
		other(false, secret("api", "prod", "o1", 1), secret("api", "prod", "o2", 1), filterChange("api", "f", 1))
		s.Changes(false, changes{secret("web", "prod", "a", 1)})
		p := s.spy(t, key, "")
		defer p.cancel()
		eventually(t, func() bool { return strings.Count(p.seen(), "id: ") == 1 }) // the put has version 1
		for version := 2; version < 20; version++ {
			other(false, secret("api", "prod", "o1", version), secret("api", "prod", "o2", version))
			other(true, removed("o2"))
			s.Changes(false, changes{secret("web", "prod", "a", version)})
			eventually(t, func() bool { return strings.Count(p.seen(), "id: ") == version })
		}
		text := p.seen()
		streams = append(streams, text[strings.Index(text, "event: "):])
		_, refusal := s.refused(t, request{key: "rel-unknown"})
		streams[len(streams)-1] += refusal
	}
	assert.Equal(t, streams[0], streams[1])
}
