//go:build servers

package page

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
)

// The pictures of the docs: go test -tags servers -run Pictures ./internal/page -pictures ../../../../docs
var pictures = flag.String("pictures", "", "folder to write the pictures of the page to; one that is removed by default")

func TestPictures(t *testing.T) {
	folder := *pictures
	if folder == "" {
		folder = t.TempDir()
	}
	hub := newHub()
	s := serve(t, hub, "127.0.0.1:0")
	b := open(t, s.url())
	b.live()
	b.picture(folder, "page-empty")
	pose(hub, s)
	b.shows("#fleet", "ap-south-2")
	b.shows("#log", "relay")
	b.click("#environments [data-id='5f1b0c7e0000000000000003'] button")
	b.run(chromedp.EmulateViewport(1280, 1000))
	b.do("scrollTo(0, 0)")
	b.run(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 2, 2)) // away from the rows, which would be marked
	b.settled()
	b.picture(folder, "page-light")
	b.prefers("prefers-color-scheme", "dark")
	b.picture(folder, "page-dark")
	b.run(chromedp.EmulateViewport(400, 860, chromedp.EmulateMobile))
	b.do("scrollTo(0, 0)")
	b.picture(folder, "page-narrow-dark")
	b.prefers("prefers-color-scheme", "light")
	for _, section := range []string{"fleet", "environments", "log"} {
		b.do("document.querySelector('#" + section + "').scrollIntoView()")
		b.picture(folder, "page-narrow-"+section)
	}
	b.do("scrollTo(0, 0)")
	b.run(chromedp.EmulateViewport(1280, 900))
	hub.set(func(h *knownHub) {
		h.fleet.Notice = "the hub started 12s ago and kept no names of relays from before, so some may not have come back yet; it is sure in 48s"
		h.upstream.State, h.upstream.Condition = autoconfig.StateInterrupted, "key-rejected"
		h.upstream.Reason = "the service rejects the auto-configuration key with status 401"
		h.upstream.LastError, h.upstream.ErrorTime = "the service answered with status 401", At(time.Now())
	})
	b.shows("#upstream", "Key rejected")
	b.picture(folder, "page-error")
	s.end()
	b.shows(".notice", "can't be reached")
	b.picture(folder, "page-lost")
}

// settled waits until no row is marked as changed.
func (b *tab) settled() { b.becomes("document.querySelector('.fresh') === null") }

// picture writes a picture of the visible part of the page.
func (b *tab) picture(folder, name string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, soon)
	defer cancel()
	taken, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(b.t, err)
	decoded, err := png.Decode(bytes.NewReader(taken))
	require.NoError(b.t, err)
	var small bytes.Buffer
	require.NoError(b.t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, fewColors(decoded)))
	assert.Less(b.t, small.Len(), 200_000, "the docs' pictures are small")
	require.NoError(b.t, os.WriteFile(filepath.Join(folder, name+".png"), small.Bytes(), 0o600))
}

// fewColors returns a picture with 256 of the most frequent colors that differ: a page has few, but for the edges of letters.
func fewColors(in image.Image) image.Image {
	counts := map[color.Color]int{}
	bounds := in.Bounds()
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			counts[in.At(x, y)]++
		}
	}
	colors := slices.SortedFunc(maps.Keys(counts), func(a, b color.Color) int { return cmp.Compare(counts[b], counts[a]) })
	var palette color.Palette
	alike := map[[3]uint32]bool{}
	for _, c := range colors {
		r, g, b, _ := c.RGBA()
		if shade := [3]uint32{r >> 11, g >> 11, b >> 11}; !alike[shade] && len(palette) < 256 {
			alike[shade] = true
			palette = append(palette, c)
		}
	}
	nearest := make(map[color.Color]uint8, len(colors))
	for _, c := range colors {
		nearest[c] = uint8(palette.Index(c))
	}
	out := image.NewPaletted(bounds, palette)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			out.SetColorIndex(x, y, nearest[in.At(x, y)])
		}
	}
	return out
}

// pose makes a fleet with something of everything.
func pose(hub *knownHub, s *site) {
	now := time.Now()
	ago := func(d time.Duration) Time { return At(now.Add(-d)) }
	var relays []Relay
	for i, region := range []string{"eu-west", "us-east", "us-west", "ap-south"} {
		for n := 1; n <= 6; n++ {
			relays = append(relays, Relay{ID: fmt.Sprint(region, n), Name: fmt.Sprintf("%s-%d", region, n), Sync: InSync,
				RoundTrip: 0.0008 + float64(i*37+n)/1000, Address: fmt.Sprintf("10.%d.4.%d:%d", 20+i, 10+n, 40000+n*311),
				Version: "relayconf 0.9.0", Since: ago(time.Duration(i*31+n*7) * time.Hour)})
		}
	}
	relays[3].Sync, relays[3].BehindSince = Behind, ago(95*time.Second)
	relays[10].Sync, relays[10].BehindSince, relays[10].Status = Behind, ago(8*time.Second), "INTERRUPTED"
	relays[19].Sync, relays[19].RoundTrip, relays[19].Since = Absent, 0, ago(26*time.Minute)
	for _, i := range []int{6, 12, 13} {
		relays[i].Sync, relays[i].RoundTrip, relays[i].Version = Sent, 0, "RelayProxy/8.11.2"
	}
	var changes []autoconfig.Change
	environment := func(i int, project, key string, version int, more string) {
		id := fmt.Sprintf("5f1b0c7e%016d", i)
		text := fmt.Sprintf(`{"envID":%q,"envKey":%q,"envName":%q,"projKey":%q,"projName":"The %s","mobKey":"mob-00000000-0000-4000-8000-00000000%04d","defaultTtl":5,"sdkKey":{"value":"sdk-00000000-0000-4000-8000-00000000%04x"%s},"version":%d}`,
			id, key, key, project, project, 7919*i%9973, 40503*i%65521, more, version)
		changes = append(changes, autoconfig.Change{Kind: autoconfig.EnvironmentChanged, ID: id, Version: version, Text: []byte(text)})
	}
	i := 0
	for _, project := range []string{"checkout", "mobile-app", "payments", "search", "support", "web"} {
		for _, key := range []string{"development", "production", "staging", "test"} {
			i++
			environment(i, project, key, 100+7*i, "")
		}
	}
	s.Changes(true, changes)
	changes = nil
	environment(3, "checkout", "staging", 122, expiring("7b1c", now.Add(42*time.Second)))
	environment(2, "checkout", "production", 115, expiring("90ef", now.Add(23*time.Hour+59*time.Minute)))
	environment(22, "web", "production", 255, expiring("c3d4", now.Add(74*time.Minute)))
	s.Changes(false, changes)
	s.Changes(false, []autoconfig.Change{{Kind: autoconfig.EnvironmentDeleted, ID: "5f1b0c7e0000000000000020", Version: 241}})
	hub.set(func(h *knownHub) {
		h.fleet.Relays = relays
		h.upstream.StateSince, h.upstream.Activity, h.upstream.Filters = ago(51*time.Hour), ago(2*time.Second), 3
	})
}
