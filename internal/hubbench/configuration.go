//go:build linux

package main

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
)

// key is presented by the relays to the hub and by the hub to its service.
const key = "rel-00000000-0000-4000-8000-000000000001"

// environments makes the texts of n environments, of about 340 bytes each, whose ids and keys are random.
type environments struct {
	ids      []string
	keys     [][2]string
	versions []int
}

func newEnvironments(n int) *environments {
	random := rand.NewChaCha8([32]byte{1})
	digits := func(bytes int) string {
		raw := make([]byte, bytes)
		_, _ = random.Read(raw)
		return hex.EncodeToString(raw)
	}
	e := &environments{versions: make([]int, n)}
	for range n {
		e.ids = append(e.ids, digits(12))
		e.keys = append(e.keys, [2]string{digits(16), digits(16)})
	}
	return e
}

// text is that of an environment at its present version. Its name is the stamp.
func (e *environments) text(i int, stamp string) string {
	return fmt.Sprintf(`{"defaultTtl":5,"envID":%q,"envKey":"production","envName":%q,"mobKey":"mob-%s","projKey":"project-%d",`+
		`"projName":"Project %d","sdkKey":{"value":"sdk-%s"},"secureMode":true,"version":%d,"archived":false,"tags":["relay","eu"],"description":""}`,
		e.ids[i], stamp, e.keys[i][0], i/10, i/10, e.keys[i][1], e.versions[i]+1)
}

// put is the event with all environments.
func (e *environments) put() []byte {
	data := []byte("event: put\ndata: " + `{"path":"/","data":{"environments":{`)
	for i, id := range e.ids {
		if i > 0 {
			data = append(data, ',')
		}
		data = fmt.Appendf(data, "%q:%s", id, e.text(i, "Production"))
	}
	return append(data, "}}}\n\n"...)
}

// patch is the event of a change of one environment, whose stamp is a time in nanoseconds.
func (e *environments) patch(i int, stamp int64) []byte {
	e.versions[i]++
	return fmt.Appendf(nil, "event: patch\ndata: {\"path\":\"/environments/%s\",\"data\":%s}\n\n",
		e.ids[i], e.text(i, fmt.Sprintf("%s%d", stampStart, stamp)))
}

// stampStart begins the name of an environment that says when it was changed.
const stampStart = "changed at "
