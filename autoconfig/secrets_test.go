package autoconfig

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

func TestNoKeyIsEverLoggedWhole(t *testing.T) {
	const newKey = config.AutoConfigKey("rel-test-key-0002-secret")
	secrets := []string{string(testKey), string(newKey), "sdk-secret-00000001", "sdk-secret-00000002", "mob-secret-00000003"}
	keys := `"sdkKey" : {"value":"sdk-secret-00000001", "expiring":{"value":"sdk-secret-00000002","timestamp":1}},"mobKey"	:"mob-secret-00000003"`
	inBubble(t, func(t *testing.T, r *rig) {
		r.service.next().Answer(401)
		e := r.service.stream(eventText(PutEvent, put(listedEnv("a", 1, keys), member("b", env("x", 1, keys)))))
		e.send(eventText(PatchEvent, patchEnv("a", 2, keys, `"sdkKeys":[{"value":"sdk-secret-00000002"}]`)))
		e = r.service.stream(eventText(PutEvent, put(listedEnv("a", 2, keys))))
		e.send(eventText("sdk-event", `{"value":"sdk-secret-00000001"}`))
		r.manager.SetKey(newKey)
		e = r.service.stream(eventText(PutEvent, put(listedEnv("a", 3, keys))))
		e.send(eventText(PatchEvent, `{"path":"/environments/a","data":{`+keys))
		for _, v := range []any{r.manager, r.manager.Status(), *r.manager.Status().LastError, r.manager.Environments()} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
				for _, secret := range secrets {
					assert.NotContains(t, fmt.Sprintf(verb, v), secret)
				}
			}
		}
		r.close()
		lines := r.log.GetAllOutput()
		require.NotEmpty(t, lines)
		var all string
		for _, line := range lines {
			all += line.Message + "\n"
		}
		for _, secret := range secrets {
			assert.NotContains(t, all, secret)
		}
		assert.Contains(t, all, "…0001", "a debug log shows which keys they were")
		assert.Contains(t, all, `unknown name: "sdk-event"`)
	}, WithRejectedKeyRetry())
}

func TestOptionalHandlers(t *testing.T) {
	at := func(d time.Duration) int64 { return time.Now().Add(d).UnixMilli() }
	inBubble(t, func(t *testing.T, r *rig) {
		e := r.service.stream(eventText(PutEvent, putWith([]string{listedEnv("a", 1,
			fmt.Sprintf(`"mobileKeys":[{"value":"mob-a"},{"value":"old","expiry":%d}]`, at(time.Second)))},
			[]string{member("f", filter("f", 1))})))
		r.wants("add a", "add filter f", "all")
		e.send(eventText(DeleteEvent, deletion("/filters/f", 2)))
		r.wants("delete filter f")
		time.Sleep(time.Second)
		r.wants("expired mobile a old")
	})
	t.Run("a handler without them gets the rest", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.manager.dispatcher = newDispatcher(struct{ MessageHandler }{r.relay})
			e := r.service.stream(": hello\n" + eventText(PutEvent, putWith([]string{listedEnv("a", 1,
				fmt.Sprintf(`"mobileKeys":[{"value":"mob-a"},{"value":"old","expiry":%d}]`, at(time.Second)))},
				[]string{member("f", filter("f", 1))})))
			time.Sleep(time.Second)
			e.send(eventText(DeleteEvent, deletion("/filters/f", 2)))
			r.wants("add a", "all")
			assert.EqualValues(t, 1, r.manager.Status().KeepAlives)
		})
	})
}
