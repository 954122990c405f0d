package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/fleet"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/ops"
)

var fleetHelp = `Shows which relays a hub has, whether each has applied the present configuration, and calls them.

It asks the admin listener of relayconf serve. Relays that keep a link (relayconf watch --link, or package link/agent) tell
what they have applied. Of others only the stream is known, and with it what they were sent: they are shown as "sent".

` + exitCodesHelp(exitMissing, exitInconclusive, exitInterrupted)

const fleetExample = `  # Which relays are there, and are they up to date?
  relayconf fleet list

  # After the rotation of a key, before the old one is deleted: wait until every relay has the environment's version 42
  relayconf fleet wait --environment 5f1b0c7e --version 42 --timeout 10m

  # Why is this one late?
  relayconf fleet show relay-7
  relayconf fleet call relay-7 reconnect`

// fleetOptions are the flags of each fleet command.
type fleetOptions struct {
	adminAddr      string
	adminTokenFile string
	format         string
}

func newFleet() *cobra.Command {
	var o fleetOptions
	cmd := &cobra.Command{
		Use:     "fleet",
		Short:   "Show the relays of a hub, or of several, call them, and wait until all are up to date",
		Long:    fleetHelp,
		Example: fleetExample,
		Args:    cobra.NoArgs,
		RunE: command(func(cmd *cobra.Command, _ []string) error {
			return usageError("fleet needs a command: list, show, call, wait or forget")
		}),
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&o.adminAddr, "admin-addr", "127.0.0.1:8031", "`address` of the hub's admin listener, or its URL")
	flags.StringVar(&o.adminTokenFile, "admin-token-file", "", "`file` with the token that the admin listener needs")
	_ = cmd.MarkPersistentFlagFilename("admin-token-file")
	cmd.AddCommand(newFleetList(&o), newFleetShow(&o), newFleetCall(&o), newFleetWait(&o), newFleetForget(&o))
	return cmd
}

// hubClient asks a hub's admin listener.
type hubClient struct {
	url   *url.URL
	token string
}

func (o fleetOptions) client() (*hubClient, error) {
	address := o.adminAddr
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, usageError("--admin-addr must be like 127.0.0.1:8031 or https://hub.example")
	}
	c := &hubClient{url: u}
	if o.adminTokenFile != "" {
		if c.token, err = ops.ReadToken(o.adminTokenFile); err != nil {
			return nil, withCode(exitUsage, err)
		}
	}
	return c, nil
}

// fleetTimeout is for one request, other than wait: more than a call of a relay may take.
const fleetTimeout = 30 * time.Second

// open sends a request. The body of the response is the caller's to close. A nil body makes it a GET.
func (c *hubClient) open(ctx context.Context, path string, query url.Values, body any) (*http.Response, error) {
	u := c.url.JoinPath(path)
	u.RawQuery = query.Encode()
	method, content := http.MethodGet, []byte(nil)
	if body != nil {
		method = http.MethodPost
		var err error
		if content, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", userAgent())
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the hub can't be reached: %w; see --admin-addr", err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	return nil, refusalOf(response)
}

// refusalOf makes an error of an answer that is none.
func refusalOf(response *http.Response) error {
	const most = 64 << 10
	text, _ := io.ReadAll(io.LimitReader(response.Body, most)) // after a read error, the text so far is shown
	var refusal fleet.ErrorAnswer
	if json.Unmarshal(text, &refusal) != nil || refusal.Error == "" {
		refusal.Error = fmt.Sprintf("the admin listener answers with HTTP status %d: %s", response.StatusCode, strings.TrimSpace(string(text)))
	}
	err := fmt.Errorf("%s", refusal.Error)
	switch response.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound:
		return withCode(exitUsage, err)
	default:
		return err
	}
}

// get asks for JSON.
func (c *hubClient) get(ctx context.Context, path string, query url.Values, into any) error {
	return c.ask(ctx, path, query, nil, into)
}

// post asks for something to be done.
func (c *hubClient) post(ctx context.Context, path string, body, into any) error {
	return c.ask(ctx, path, nil, body, into)
}

func (c *hubClient) ask(ctx context.Context, path string, query url.Values, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, fleetTimeout)
	defer cancel()
	response, err := c.open(ctx, path, query, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("the hub's answer is not JSON as expected; is --admin-addr an admin listener? %w", err)
	}
	return nil
}

// completeRelays completes the names of relays. It is silent about errors, as completions are.
func completeRelays(o *fleetOptions, keep func(fleet.RelayJSON) bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		const patience = 2 * time.Second
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		client, err := o.client()
		var list fleet.ListJSON
		if err == nil {
			err = client.get(ctx, fleet.RelaysPath, nil, &list)
		}
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, r := range list.Relays {
			if keep(r) {
				names = append(names, r.Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// firstArgument completes only the first argument.
func firstArgument(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, toComplete)
	}
}

// Which relays are completed.
func anyRelay(fleet.RelayJSON) bool           { return true }
func callableRelay(r fleet.RelayJSON) bool    { return r.Connected && r.Agent }
func forgettableRelay(r fleet.RelayJSON) bool { return !r.Connected }

// printJSON prints a value for programs.
func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
