package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
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
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", key.GetAuthorizationHeaderValue())
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Cache-Control", "no-cache")
	response, err := c.options.Client.Do(request)
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
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fmt.Errorf("%w with HTTP status %d", ErrRejected, status)
	case status != http.StatusOK:
		return errors.Join(fmt.Errorf("the service answered with HTTP status %d", status), c.out.refused(status))
	case mediaType != "text/event-stream":
		return fmt.Errorf("the service answered with content type %q instead of an event stream", mediaType)
	}
	return nil
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

// streamURL adds the path and the protocol version to the base URI, whose own path and query keep their meaning.
func streamURL(base string, protocolVersion int) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("the stream URI is not valid; it should look like %s", config.DefaultStreamURI)
	}
	u.Fragment = ""
	if u.Path == "" {
		u.Path = "/"
	}
	u = u.JoinPath("relay_auto_config")
	if protocolVersion > autoconfig.DefaultProtocolVersion {
		version := "rpacProtocolVersion=" + strconv.Itoa(protocolVersion)
		if u.RawQuery != "" {
			version = u.RawQuery + "&" + version
		}
		u.RawQuery = version
	}
	return u, nil
}
