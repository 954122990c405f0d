package fleet

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	waitPause     = 50 * time.Millisecond // shortest time between two looks at the fleet
	waitPeriod    = time.Second           // longest time between them: upstream's state is not part of Changed
	waitHeartbeat = 10 * time.Second      // longest time between two lines, so that a client notices a hub that is gone
	waitWrite     = 30 * time.Second      // for a line
	shownMissing  = 100                   // relays on a line, but the last one
)

// wait serves WaitPath.
func (a API) wait(w http.ResponseWriter, r *http.Request) {
	var c Condition
	err := read(r, &c)
	if err == nil {
		err = c.check(a.SeenWithin)
	}
	if err == nil && c.Environment != "" && c.Version < a.LeastVersion {
		err = status.Errorf(codes.InvalidArgument, "this hub reads files and gives changes their versions, which are Unix times: %d is none to wait for. "+
			"The page shows the present one, and so does `relayconf fleet call NAME list-environments`", c.Version)
	}
	if err != nil {
		answer(w, nil, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	control := http.NewResponseController(w)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	a.Wait(r.Context(), c, func(p Progress) error {
		_ = control.SetWriteDeadline(time.Now().Add(waitWrite)) // a writer that has none needs none
		if err := encoder.Encode(p); err != nil {
			return err
		}
		return control.Flush()
	})
}

// Wait waits for a condition that was checked. It tells progress, the last time with a Result; an error of it, or the end of
// the context, ends the wait without one.
func (a API) Wait(ctx context.Context, c Condition, tell func(Progress) error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := newWaiter(a, c)
	timeout := time.NewTimer(time.Duration(c.TimeoutSeconds * float64(time.Second)))
	defer timeout.Stop()
	period := time.NewTicker(waitPeriod)
	defer period.Stop()
	defer w.asking.Wait()
	defer cancel()
	var last Progress
	var told time.Time
	over := false
	for {
		changed := a.Directory.Changed() // before the look, so that no change is missed
		p := w.look(ctx, time.Now())
		p.Result = p.result(over)
		if p.Result == "" && len(p.Missing) > shownMissing {
			p.Missing = p.Missing[:shownMissing]
		}
		if p.Result != "" || told.IsZero() || time.Since(told) >= waitHeartbeat || time.Since(told) >= waitPeriod && !reflect.DeepEqual(p, last) {
			if err := tell(p); err != nil || p.Result != "" {
				return
			}
			last, told = p, time.Now()
		}
		pause(ctx, waitPause)
		select {
		case <-changed:
		case <-w.answers:
		case <-period.C:
		case <-timeout.C:
			over = true // one more look
		case <-ctx.Done():
			return
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// result is empty while the wait goes on.
func (p Progress) result(over bool) Result {
	switch {
	case p.Problem == "" && len(p.Missing) == 0 && p.Total > 0 && p.Done == p.Total:
		return Applied
	case !over:
		return ""
	case p.Problem != "":
		return Inconclusive
	default:
		return Missing
	}
}
