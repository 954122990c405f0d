package hubmodel

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// history is a sequence of steps, and the settings for them.
type history struct {
	// regress lets environments come back at lower versions. A hub that restarts, or that a relay comes to from another
	// one, can't know of them, so that neither happens then. Otherwise versions only rise.
	regress bool
	recent  int // events in the recent past
	steps   []step
}

// step is one thing that happens: one of the types below.
type step any

type (
	sourcePut   struct{ environments map[string]known }
	sourcePatch struct {
		id    string
		known known
	}
	sourceDelete struct {
		id      string
		version int
	}
	connect struct {
		relay, hub int
		plain      bool
		back       int
	} // back: with its state of so many events ago; 0: with its state of now
	disconnect struct{ relay int }
	stall      struct{ relay int }
	resume     struct{ relay int }
	restart    struct{ hub int }
	lower      struct{} // the hub behind a hub loses its connection
	pause      struct{ d time.Duration }
	burst      struct{ steps []step } // without waiting in between
)

const (
	relays = 4
	hubs   = 3 // the last one is behind the first
)

func drawHistory(t *rapid.T) history {
	h := history{
		regress: rapid.Bool().Draw(t, "regress"),
		recent:  rapid.SampledFrom([]int{1, 3, 1000}).Draw(t, "recent"),
	}
	single := rapid.Custom(func(t *rapid.T) step { return drawStep(t, h.regress) })
	h.steps = rapid.SliceOfN(rapid.OneOf(single, single, single, rapid.Map(rapid.SliceOfN(single, 2, 5),
		func(steps []step) step { return burst{steps} })), 1, 40).Draw(t, "steps")
	return h
}

func drawStep(t *rapid.T, regress bool) step {
	number := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "number") }
	version := func() int { return 1 + number(6) }
	id := func() string { return string(rune('a' + number(4))) }
	env := func() known { return known{version: version(), project: []string{"web", "api"}[number(2)]} }
	at := func() int {
		if number(3) > 0 {
			return 0
		}
		return 1 + number(6)
	}
	switch number(16) {
	case 0, 1:
		all := map[string]known{}
		for range number(5) {
			all[id()] = env()
		}
		return sourcePut{all}
	case 2, 3, 4, 5:
		return sourcePatch{id(), env()}
	case 6:
		return sourceDelete{id(), version()}
	case 7, 8, 9:
		return connect{number(relays), number(hubs), rapid.Bool().Draw(t, "plain"), at()}
	case 10:
		return disconnect{number(relays)}
	case 11:
		return stall{number(relays)}
	case 12:
		return resume{number(relays)}
	case 13:
		return lower{}
	case 14:
		if regress {
			return pause{time.Duration(number(30)) * time.Second}
		}
		return restart{number(hubs)}
	default:
		return pause{time.Duration(number(100)) * time.Second}
	}
}

func (h history) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "regress %t, recent past %d\n", h.regress, h.recent)
	for i, s := range h.steps {
		fmt.Fprintf(&text, "%4d. %T%+v\n", i+1, s, s)
	}
	return text.String()
}
