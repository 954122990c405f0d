//go:build servers

package page

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"

	"github.com/relayconf/relayconf/autoconfig"
)

func TestTheListsFill(t *testing.T) {
	hub := newHub()
	hub.setRelays(Relay{ID: "1", Name: "eu-1", Sync: InSync, RoundTrip: 0.0123, Address: "10.0.0.1:5000", Version: "8.9.0", Since: At(time.Now())},
		Relay{ID: "2", Name: "eu-2", Sync: Sent}, Relay{ID: "3", Name: "eu-3", Sync: Absent})
	s := serve(t, hub, "127.0.0.1:0")
	s.Changes(true, []autoconfig.Change{environmentText("e1", "production", 7, ""), environmentText("e2", "test", 1, "")})
	b := open(t, s.url())
	b.live()
	assert.Equal(t, []string{"web/production", "web/test"}, b.names("environments"))
	assert.Equal(t, []string{"eu-3", "eu-2", "eu-1"}, b.names("fleet"), "those in sync come last")
	for _, text := range []string{"In sync", "Sent only", "Absent", "12 ms", "10.0.0.1:5000", "8.9.0"} {
		assert.Contains(t, b.text("#fleet"), text)
	}
	assert.Contains(t, b.text("#environments"), "…f-e1", "a key is masked")
	assert.NotContains(t, evaluate[string](b, "document.documentElement.outerHTML"), "secret")
	assert.Contains(t, b.text("#upstream"), "Up to date")
	assert.Contains(t, b.text("#log"), "web/production environment added")
	b.click("#environments [data-id=e1] button")
	b.shows("#environments .details", "Web shop")
}

func TestChangesAppearInTheirOrderWithoutAReload(t *testing.T) {
	s := serve(t, newHub(), "127.0.0.1:0")
	b := open(t, s.url())
	b.live()
	b.shows("#environments", "There are no environments")
	b.do("window.loaded = true")
	s.Changes(false, []autoconfig.Change{environmentText("e1", "production", 1, "")})
	s.Changes(false, []autoconfig.Change{environmentText("e1", "production", 2, expiring("000000-e1", time.Now().Add(time.Hour)))})
	s.Changes(false, []autoconfig.Change{{Kind: autoconfig.EnvironmentDeleted, ID: "e1", Version: 3}})
	s.Changes(false, []autoconfig.Change{environmentText("e2", "test", 1, "")})
	b.becomes("document.querySelectorAll('#log .entry').length === 4")
	assert.Equal(t, []string{"web/test environment added", "web/production environment removed",
		"web/production accepted key added …0-e1 expires", "web/production environment added"},
		evaluate[[]string](b, "[...document.querySelectorAll('#log .what')].map((e) => e.textContent.replace(/ expires .*/, ' expires'))"))
	assert.Equal(t, []string{"web/test"}, b.names("environments"))
	assert.Equal(t, []string{"…0-e1"}, evaluate[[]string](b, "[...document.querySelectorAll('#log .unbroken')].map((e) => e.textContent)"), "not broken over lines")
	assert.True(t, evaluate[bool](b, "window.loaded === true"))
}

func TestSearchLooksIntoNamesIdsAndTheEndsOfKeys(t *testing.T) {
	s := serve(t, newHub(), "127.0.0.1:0")
	s.Changes(true, []autoconfig.Change{environmentText("id-one", "production", 1, ""), environmentText("id-two", "staging", 1, "")})
	b := open(t, s.url())
	b.live()
	for _, row := range []struct {
		query string
		want  []string
	}{
		{"stag", []string{"web/staging"}},
		{"WEB prod", []string{"web/production"}},
		{"id-two", []string{"web/staging"}},
		{"shop", []string{"web/production", "web/staging"}},
		{"…-one", []string{"web/production"}},
		{"nothing", []string{}},
	} {
		b.search("environments", row.query)
		b.becomes(fmt.Sprintf("[...document.querySelectorAll('#environments tbody .name')].length === %d", len(row.want)))
		assert.Equal(t, row.want, b.names("environments"), row.query)
	}
	assert.Contains(t, b.text("#environments"), "Nothing matches")
}

func TestAKeyCountsDownAndExpires(t *testing.T) {
	s := serve(t, newHub(), "127.0.0.1:0")
	s.Changes(true, []autoconfig.Change{environmentText("e1", "production", 1, expiring("long", time.Now().Add(90*time.Minute)))})
	b := open(t, s.url())
	b.live()
	b.shows("#environments .expiry", "in 1 h ")
	// On a busy machine this test may see none of the texts that are there for a second: the page has to note them.
	b.do(`window.seconds = new Set();
		new MutationObserver(() => {
			const text = document.querySelector("#environments .expiry.soon")?.innerText ?? "";
			const seconds = text.match(/…soon in (\d+) s/);
			if (seconds) { window.seconds.add(seconds[1]) }
		}).observe(document, {subtree: true, childList: true, characterData: true})`)
	s.Changes(false, []autoconfig.Change{environmentText("e1", "production", 2, expiring("soon", time.Now().Add(10*time.Second)))})
	b.shows("#log", "web/production key …soon has expired")
	b.becomes("document.querySelector('#environments .expiry') === null")
	assert.GreaterOrEqual(t, evaluate[int](b, "window.seconds.size"), 2, "it counts down")
}

func TestARelayThatFallsBehindTurns(t *testing.T) {
	hub := newHub()
	relay := Relay{ID: "1", Name: "eu-1", Sync: InSync}
	hub.setRelays(relay, Relay{ID: "2", Name: "a", Sync: InSync})
	b := open(t, serve(t, hub, "127.0.0.1:0").url())
	b.live()
	assert.Equal(t, []string{"a", "eu-1"}, b.names("fleet"))
	behind := relay
	behind.Sync, behind.BehindSince = Behind, At(time.Now().Add(-2*time.Minute))
	hub.setRelays(behind, Relay{ID: "2", Name: "a", Sync: InSync})
	b.shows("#fleet [data-id='1'] .badge.behind", "Behind for 2 m")
	assert.Equal(t, []string{"eu-1", "a"}, b.names("fleet"), "those behind come first")
	b.shows("#log", "eu-1 is late")
	b.becomes("document.title.startsWith('(1 behind)')")
	hub.setRelays(relay, Relay{ID: "2", Name: "a", Sync: InSync})
	b.shows("#fleet [data-id='1'] .badge.in-sync", "In sync")
	b.shows("#log", "eu-1 has caught up")
}

func TestARelayThatHasLostItsStreamSaysSoBesideItsConfiguration(t *testing.T) {
	hub := newHub()
	b := open(t, serve(t, hub, "127.0.0.1:0").url())
	b.live()
	for state, want := range map[string]string{
		"INITIALIZING": "its stream has yet to begin", "INTERRUPTED": "its stream is interrupted", "OFF": "its stream has ended",
		"A STATE OF A NEWER RELAY": "a state of a newer relay",
	} {
		hub.setRelays(Relay{ID: "1", Name: "eu-1", Sync: InSync, Status: state})
		b.shows("#fleet .sync", want)
		b.shows("#fleet .sync", "In sync")
	}
	hub.setRelays(Relay{ID: "1", Name: "eu-1", Sync: InSync})
	b.becomes("document.querySelector('#fleet .sync').innerText.trim() === 'In sync'")
}

func TestAFleetThatIsNotKnownInFullSaysSo(t *testing.T) {
	hub := newHub()
	b := open(t, serve(t, hub, "127.0.0.1:0").url())
	b.live()
	hub.set(func(h *knownHub) {
		h.fleet = Fleet{[]Relay{{ID: "1", Name: "eu-1", Sync: Unknown}}, Completeness{Problem: "hub-2 does not answer", Notice: "some may not be back"}}
	})
	b.shows("#fleet .problem:not(.minor)", "Hub-2 does not answer")
	b.shows("#fleet .problem.minor", "Some may not be back")
	b.shows("#fleet .badge", "Unknown")
	hub.set(func(h *knownHub) { h.fleet.Completeness = Completeness{} })
	b.becomes("document.querySelector('#fleet .problem') === null")
}

func TestDarkAndLight(t *testing.T) {
	b := open(t, serve(t, newHub(), "127.0.0.1:0").url())
	b.live()
	ground := func() string { return evaluate[string](b, "getComputedStyle(document.body).backgroundColor") }
	scheme := func(value string) {
		b.prefers("prefers-color-scheme", value)
	}
	const light, dark = "rgb(244, 245, 248)", "rgb(18, 20, 26)"
	scheme("light")
	assert.Equal(t, light, ground())
	scheme("dark")
	assert.Equal(t, dark, ground())
	scheme("light")
	b.click("#theme")
	b.shows("#theme", "dark")
	assert.Equal(t, dark, ground(), "the choice counts, not the system")
	b.run(chromedp.Reload())
	b.live()
	assert.Equal(t, dark, ground(), "the choice is kept")
	b.click("#theme")
	b.click("#theme")
	b.shows("#theme", "system")
	assert.Equal(t, light, ground())
}

func TestAPhoneShowsAllWithoutScrollingSideways(t *testing.T) {
	hub := newHub()
	hub.setRelays(Relay{ID: "1", Name: "a-relay-with-a-name-as-long-as-names-of-machines-get.eu-west-1.compute.example.com", Sync: InSync,
		Address: "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535", Version: "RelayProxy/8.11.2 (linux; amd64; a long user agent)", Hub: "hub-2"})
	s := serve(t, hub, "127.0.0.1:0")
	s.Changes(true, []autoconfig.Change{environmentText("5f1b0c7e0000000000000001", "production", 1, expiring("long", time.Now().Add(time.Hour)))})
	b := open(t, s.url())
	b.run(chromedp.EmulateViewport(400, 800, chromedp.EmulateMobile))
	b.live()
	b.click("#environments [data-id] button")
	b.shows("#environments .details", "Web shop")
	assert.Equal(t, 400, evaluate[int](b, "document.scrollingElement.scrollWidth"))
	assert.Empty(t, evaluate[[]string](b, `[...document.querySelectorAll("main *")].filter((e) => {
		const box = e.getBoundingClientRect();
		return box.width > 1 && (box.right > 400 || box.left < 0);
	}).map((e) => e.outerHTML)`), "beyond the edges")
	assert.Empty(t, evaluate[[]string](b, `[...document.querySelectorAll("button")].filter((e) => {
		const box = e.getBoundingClientRect();
		return box.width > 0 && (box.height < 30 || box.width < 30);
	}).map((e) => e.outerHTML)`), "too small for a finger")
}

func TestTheKeyboardReachesEverything(t *testing.T) {
	s := serve(t, newHub(), "127.0.0.1:0")
	var changes []autoconfig.Change
	for i := range 40 {
		changes = append(changes, environmentText(fmt.Sprintf("e%02d", i), fmt.Sprintf("env%02d", i), 1, ""))
	}
	s.Changes(true, changes)
	b := open(t, s.url())
	b.live()
	focused := func(expression string) { b.becomes("((e) => " + expression + ")(document.activeElement)") }
	b.press(kb.Tab)
	focused("e.textContent === 'To the fleet'")
	b.press(kb.Tab)
	focused("e.textContent === 'To the environments'")
	b.press(kb.Enter)
	focused("e.id === 'environments'")
	b.press(kb.Tab, kb.Tab, kb.Tab)
	focused("e.type === 'search'")
	assert.NotEqual(t, "none", evaluate[string](b, "getComputedStyle(document.activeElement).outlineStyle"), "the focus can be seen")
	b.press("env0")
	b.becomes("document.querySelectorAll('#environments tbody tr').length === 10")
	b.press(kb.Tab)
	focused("e.ariaLabel === 'Details of web/env00'")
	b.press(kb.Enter)
	b.shows("#environments .details", "Web shop")
	s.Changes(false, []autoconfig.Change{environmentText("e000", "env", 1, "")})
	b.shows("#log", "web/env environment added")
	focused("e.ariaLabel === 'Details of web/env00'")
	b.press(kb.Enter)
	b.becomes("document.querySelector('#environments .details') === null")
	b.do("document.querySelector('#environments input').focus()")
	b.press(kb.Escape)
	b.becomes("document.querySelectorAll('#environments tbody tr').length === 15")
	b.do("document.querySelector('[aria-label=\"Next page of environments\"]').focus()")
	b.press(kb.Enter)
	b.shows("#environments .pager", "16–30 of 41")
	b.press(kb.Enter)
	b.shows("#environments .pager", "31–41 of 41")
	focused("e.ariaLabel === 'Next page of environments' && e.ariaDisabled === 'true'")
}

func TestAnOpenPageOutlivesTheHub(t *testing.T) {
	hub := newHub()
	s := serve(t, hub, "127.77.0.1:0") // nobody else takes the port while there is no hub
	s.Changes(true, []autoconfig.Change{environmentText("e1", "production", 1, "")})
	b := open(t, s.url())
	b.live()
	b.do("window.loaded = true")
	s.end()
	b.shows(".notice", "can't be reached")
	assert.Equal(t, []string{"web/production"}, b.names("environments"), "the former state stays")
	s = serve(t, hub, s.address)
	s.Changes(true, []autoconfig.Change{environmentText("e2", "test", 1, "")})
	b.live()
	b.becomes("document.querySelector('.notice') === null")
	assert.Equal(t, []string{"web/test"}, b.names("environments"), "nothing is left of the former hub")
	s.Changes(false, []autoconfig.Change{environmentText("e3", "third", 1, "")})
	b.shows("#environments", "third")
	assert.True(t, evaluate[bool](b, "window.loaded === true"))
}

func TestAHubThatStartedAgainMayHaveAShorterLog(t *testing.T) {
	hub := newHub()
	changes := func(s *site, from, to int) {
		for i := from; i < to; i++ {
			s.Changes(false, []autoconfig.Change{environmentText(fmt.Sprintf("e%02d", i), fmt.Sprintf("env%02d", i), 1, "")})
		}
	}
	s := serve(t, hub, "127.77.0.1:0") // nobody else takes the port while there is no hub
	changes(s, 0, 45)
	b := open(t, s.url())
	b.live()
	b.shows("#log .pager", "1–20 of 45")
	b.click("[aria-label='Last page of changes']")
	b.shows("#log .pager", "41–45 of 45")
	s.end()
	b.shows(".notice", "can't be reached")
	changes(serve(t, hub, s.address), 0, 25)
	b.becomes(`/^(1–20|21–25) of 25$/.test(document.querySelector("#log .pager span")?.textContent)`) // the first, if it saw them come
}

func TestNamesStayText(t *testing.T) {
	const name = `<script>window.broken=1</script><img src=x onerror="window.broken=1">`
	hub := newHub()
	hub.upstream.Condition, hub.upstream.Reason = "stale", name
	hub.setRelays(Relay{ID: name, Name: name, Sync: InSync, Address: name, Version: name, Status: name, Hub: name})
	s := serve(t, hub, "127.0.0.1:0")
	s.Changes(true, []autoconfig.Change{environmentText("e1", name, 1, "")})
	b := open(t, s.url())
	b.live()
	b.click("#environments [data-id] button")
	b.shows("#environments .details", name)
	for _, selector := range []string{"#upstream", "#fleet", "#environments", "#log"} {
		assert.Contains(t, b.text(selector), name)
	}
	assert.Equal(t, 0, evaluate[int](b, "document.querySelectorAll('main script, main img').length"))
	assert.True(t, evaluate[bool](b, "window.broken === undefined"))
}

func TestTheUpstreamsProblemIsShown(t *testing.T) {
	hub := newHub()
	b := open(t, serve(t, hub, "127.0.0.1:0").url())
	b.live()
	hub.set(func(h *knownHub) {
		h.upstream.State, h.upstream.Condition, h.upstream.Reason = autoconfig.StateInterrupted, "key-rejected", "the service rejects the key"
	})
	b.shows("#upstream .big", "Key rejected")
	b.shows("#upstream .reason.bad", "The service rejects the key")
	b.shows("#log", "The service rejects the key")
	hub.set(func(h *knownHub) {
		h.upstream.Condition, h.upstream.Reason = "stale", "not followed since 2026-11-21T12:00:00Z, nor at 2026-99-99T99:99:99Z"
	})
	b.shows("#log", ", nor at 2026-99-99T99:99:99Z") // which is no time
}
