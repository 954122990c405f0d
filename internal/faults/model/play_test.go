package model

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/httpconfig"
	"github.com/relayconf/relayconf/internal/memnet"
)

const (
	readTimeout = 10 * time.Hour // no pause is as long, and no wait on the slow schedule

	// Waits have jitter, and what a history says must not depend on it. So the service answers when these have passed.
	fastWait = time.Minute
	slowWait = 2 * time.Hour

	// secret is in every key, where no log shows it.
	secret = "never-shown"
)

// player plays one history to a manager and to the model.
type player struct {
	service *memnet.Service
	relay   *relay
	manager *autoconfig.StreamManager
	ready   <-chan error
	log     logText
	model   *model
	keys    int // auto-configuration keys so far

	line *memnet.Exchange // nil while no connection is up
	// After this the next request is answered: by then the manager has sent it.
	answerAt time.Time
	answers  []answer
}

// play returns what went wrong; nothing if the relay was told what the rules say.
func play(t *testing.T, history []step) (problem string) {
	synctest.Test(t, func(*testing.T) {
		p := newPlayer()
		for i, s := range history {
			if problem = p.step(s); problem != "" {
				problem = fmt.Sprintf("step %d, %T: %s", i+1, s, problem)
				break
			}
		}
		if ending := p.close(); problem == "" {
			problem = ending
		}
	})
	return problem
}

func newPlayer() *player {
	p := &player{service: memnet.NewService(), relay: newRelay(), model: newModel(time.Now()), answerAt: time.Now()}
	loggers := ldlog.NewDefaultLoggers()
	loggers.SetBaseLogger(&p.log)
	loggers.SetMinLevel(ldlog.Debug)
	p.manager = autoconfig.NewStreamManager(p.key(), "https://example.com", p.relay, httpconfig.HTTPConfig{}, 0, loggers,
		autoconfig.WithHTTPClient(&http.Client{Transport: p.service}),
		autoconfig.WithReadTimeout(readTimeout), autoconfig.WithProtocolVersion(2))
	p.ready = p.manager.Start()
	return p
}

func (p *player) key() config.AutoConfigKey {
	return config.AutoConfigKey(fmt.Sprintf("rel-%s-%04d", secret, p.keys))
}

func (p *player) step(s step) string {
	switch s := s.(type) {
	case pause:
		time.Sleep(s.d)
	case rotate:
		p.keys++
		p.manager.SetKey(p.key())
		p.lost("")
	default:
		if problem := p.connect(); problem != "" {
			return problem
		}
		p.onLine(s)
	}
	return p.compare()
}

// onLine is for a step that needs a connection.
func (p *player) onLine(s step) {
	switch s := s.(type) {
	case silence:
		select {
		case <-p.line.Request.Context().Done():
		case <-time.After(readTimeout + time.Second):
		}
		p.lost(autoconfig.ErrorKindTimeout)
	case drop:
		if s.midway != nil {
			text := wire(resolve(s.midway, time.Now()))
			if _, isComment := s.midway.(comment); !isComment {
				send(p.line, text[:len(text)/2])
			}
		}
		p.line.Drop()
		p.lost(autoconfig.ErrorKindNetwork)
	case outage:
		p.line.Drop()
		p.lost(autoconfig.ErrorKindNetwork)
		p.answers = s.answers
	case burst:
		p.send(s.steps...)
	default:
		p.send(s)
	}
}

func (p *player) send(steps ...step) {
	p.model.advance(time.Now())
	var text strings.Builder
	for _, s := range steps {
		s = resolve(s, time.Now())
		text.WriteString(wire(s))
		if p.model.up { // what comes after the manager has left is not seen
			p.model.take(s)
		}
	}
	send(p.line, text.String())
	if !p.model.up {
		p.gone()
	}
}

// connect waits for the manager's next request, and answers it.
func (p *player) connect() string {
	for p.line == nil {
		longest := slowWait
		e := p.service.Next(longest)
		if e == nil {
			return fmt.Sprintf("there was no request within %s", longest)
		}
		if got := e.Request.Header.Get("Authorization"); got != string(p.key()) {
			return fmt.Sprintf("the request has key %s", got)
		}
		time.Sleep(time.Until(p.answerAt))
		if len(p.answers) > 0 {
			a := p.answers[0]
			p.answers = p.answers[1:]
			refuse(e, a)
			p.lost(a.kind())
			if a.slow() {
				p.answerAt = time.Now().Add(slowWait)
			}
			continue
		}
		e.Stream()
		p.line = e
		p.model.connected()
		synctest.Wait()
	}
	return ""
}

func (a answer) kind() autoconfig.ErrorKind {
	if a.status == 0 {
		return autoconfig.ErrorKindNetwork
	}
	return autoconfig.ErrorKindResponse
}

// lost is for a connection that ends, or can't be made.
func (p *player) lost(kind autoconfig.ErrorKind) {
	p.model.lost(kind)
	p.gone()
}

func (p *player) gone() {
	p.line = nil
	p.answerAt = time.Now().Add(fastWait)
}

// compare compares what the relay was told, and what the manager says of itself, with the model.
func (p *player) compare() string {
	synctest.Wait()
	p.model.advance(time.Now())
	calls, illegal := p.relay.take()
	if len(illegal) > 0 {
		return fmt.Sprintf("illegal calls %q", illegal)
	}
	want := p.model.calls
	p.model.calls = nil
	if calls := sortTies(calls); !reflect.DeepEqual(calls, sortTies(want)) {
		return fmt.Sprintf("the relay's calls are\n %s\nand should be\n %s", lines(calls), lines(want))
	}
	var view []string
	for _, params := range p.manager.Environments() {
		view = append(view, describe(params))
	}
	if want := p.model.view(); !reflect.DeepEqual(view, want) {
		return fmt.Sprintf("the environments are\n %s\nand should be\n %s", lines(view), lines(want))
	}
	if strings.Contains(p.log.take(), secret) {
		return "a whole key was logged"
	}
	return p.compareStatus()
}

func (p *player) compareStatus() string {
	status := p.manager.Status()
	var lastError autoconfig.ErrorKind
	if status.LastError != nil {
		lastError = status.LastError.Kind
	}
	got := fmt.Sprint(status.State, status.Environments, status.Connections, status.KeepAlives, lastError)
	want := fmt.Sprint(p.model.state, len(p.model.view()), p.model.opened, p.model.keepAlives, p.model.lastError)
	if got != want {
		return fmt.Sprintf("the status is %s and should be %s", got, want)
	}
	return ""
}

func lines(all []string) string { return strings.Join(all, "\n ") }

// close ends the manager. No call may come after it.
func (p *player) close() string {
	p.manager.Close()
	<-p.manager.Done()
	p.relay.take()
	time.Sleep(slowWait)
	calls, _ := p.relay.take()
	switch {
	case len(calls) > 0:
		return fmt.Sprintf("calls after Close: %q", calls)
	case p.manager.Status().State != autoconfig.StateOff, !errors.Is(p.manager.Err(), autoconfig.ErrClosed):
		return fmt.Sprintf("after Close the state is %s and the error %v", p.manager.Status().State, p.manager.Err())
	}
	if err := <-p.ready; (err == nil) != (p.model.opened > 0) {
		return fmt.Sprintf("Start said %v after %d connections", err, p.model.opened)
	}
	return ""
}

// logText is a log in memory.
type logText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logText) Println(values ...any)               { l.add(fmt.Sprintln(values...)) }
func (l *logText) Printf(format string, values ...any) { l.add(fmt.Sprintf(format, values...)) }

func (l *logText) add(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(text)
}

func (l *logText) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text.String()
	l.text.Reset()
	return text
}
