package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/handshake"
	"github.com/relayconf/relayconf/internal/sse"
)

// follow records one connection. It returns why the connection was lost, or could not be made.
func (c *Capture) follow(parent context.Context, key config.AutoConfigKey) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	if c.options.Fakes != nil {
		c.options.Fakes.Key(string(key)) // wherever it comes back, it gets a fake
	}
	response, err := c.request(ctx, key)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	c.options.Loggers.Infof("Recording the stream of %s", c.url.Host)
	reader := sse.NewReader(response.Body, autoconfig.DefaultMaxEventSize)
	watched := make(chan struct{})
	defer func() { cancel(nil); <-watched }()
	go func() {
		defer close(watched)
		c.watchSilence(ctx, reader, cancel)
	}()
	c.out.opened(time.Now())
	for {
		item, err := reader.Next()
		if err != nil {
			err = cause(ctx, err)
			if parent.Err() != nil && !errors.Is(err, errKeyChanged) {
				return err // the end of the recording, and not a drop
			}
			return errors.Join(err, c.out.dropped())
		}
		if err := c.out.item(item, time.Now()); err != nil {
			return err
		}
		if item.Kind == sse.Event && item.Name == autoconfig.ReconnectEvent {
			return errAsked // in the recording, the event itself ends the connection
		}
	}
}

// request connects.
func (c *Capture) request(ctx context.Context, key config.AutoConfigKey) (*http.Response, error) {
	response, err := c.options.Client.Do(handshake.NewRequest(ctx, c.url, key))
	if err != nil {
		var withURL *url.Error
		if errors.As(err, &withURL) {
			err = withURL.Err // without the URL, whose query may hold a secret
		}
		return nil, cause(ctx, err)
	}
	if err := c.check(response); err != nil {
		_ = response.Body.Close()
		return nil, err
	}
	return response, nil
}

// check says whether this is a stream. Another status becomes part of the recording, unless it speaks of the key,
// which is of no interest to those who use the recording.
func (c *Capture) check(response *http.Response) error {
	err := handshake.Check(response)
	var refused *handshake.ResponseError
	switch {
	case !errors.As(err, &refused) || refused.Status == http.StatusOK:
		return err
	case refused.KeyRejected():
		return fmt.Errorf("%w: %w", ErrRejected, err)
	default:
		return errors.Join(err, c.out.refused(refused.Status))
	}
}

// watchSilence cancels a connection on which no byte has come for the read timeout.
func (c *Capture) watchSilence(ctx context.Context, reader *sse.Reader, cancel context.CancelCauseFunc) {
	timer := time.NewTimer(c.options.ReadTimeout)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			silence := reader.Silence(time.Now())
			if silence >= c.options.ReadTimeout {
				cancel(fmt.Errorf("nothing came for %s", c.options.ReadTimeout))
				return
			}
			timer.Reset(c.options.ReadTimeout - silence)
		}
	}
}

// cause says why a read or a request failed.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the service ended the connection")
	}
	return err
}
