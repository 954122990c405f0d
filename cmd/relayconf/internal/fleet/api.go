package fleet

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The paths of the API.
const (
	RelaysPath = "/fleet/relays" // GET: ListJSON
	RelayPath  = "/fleet/relay"  // GET with the parameter name: RelayJSON
	CallPath   = "/fleet/call"   // POST of a CallJSON: the answer
	ForgetPath = "/fleet/forget" // POST of a ForgetJSON
	WaitPath   = "/fleet/wait"   // POST of a Condition: a Progress on each line, the last one with a Result
)

const (
	callTimeout = 10 * time.Second
	maxBody     = 1 << 20
)

// CallJSON asks for a call of a relay's function.
type CallJSON struct {
	Relay    string `json:"relay"`
	Function string `json:"function"`
	Argument string `json:"argument,omitempty"`
}

// ForgetJSON asks to forget a relay, or a hub.
type ForgetJSON struct {
	Relay string `json:"relay,omitempty"`
	Hub   string `json:"hub,omitempty"`
}

// ErrorAnswer is the body of each answer that is an error.
type ErrorAnswer struct {
	Error string `json:"error"`
	Code  string `json:"code"` // of gRPC, such as NotFound
}

// API serves a fleet to operators. It is to be guarded.
type API struct {
	Directory  Directory
	Upstream   func() (confirmed bool, why string) // whether the configuration is the present one, as far as is known
	SeenWithin time.Duration                       // how long names are kept

	// LeastVersion is the least version that an environment can have here. A wait for a smaller one is a mistake: it
	// would be over at once.
	LeastVersion int
}

// Register adds the paths.
func (a API) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+RelaysPath, a.relays)
	mux.HandleFunc("GET "+RelayPath, a.relay)
	mux.HandleFunc("POST "+CallPath, a.call)
	mux.HandleFunc("POST "+ForgetPath, a.forget)
	mux.HandleFunc("POST "+WaitPath, a.wait)
}

func (a API) relays(w http.ResponseWriter, _ *http.Request) {
	answer(w, listJSON(a.Directory.Overview(), time.Now()), nil)
}

func (a API) relay(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	name := r.URL.Query().Get("name")
	for _, relay := range a.Directory.Overview().Relays {
		if relay.Name == name {
			shown := relayJSON(relay, time.Now())
			shown.BehindBy = behindBy(ctx, a.Directory, relay)
			answer(w, shown, nil)
			return
		}
	}
	answer(w, nil, noRelay(name))
}

func (a API) call(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), callTimeout)
	defer cancel()
	var request CallJSON
	if err := read(r, &request); err != nil {
		answer(w, nil, err)
		return
	}
	result, err := CallFunction(ctx, a.Directory, request.Relay, request.Function, request.Argument)
	answer(w, result, err)
}

func noRelay(name string) error { return status.Errorf(codes.NotFound, "there is no relay %q", name) }

func (a API) forget(w http.ResponseWriter, r *http.Request) {
	var request ForgetJSON
	err := read(r, &request)
	switch {
	case err != nil:
	case request.Relay != "" && request.Hub != "":
		err = status.Error(codes.InvalidArgument, "forget a relay or a hub, not both")
	case request.Hub != "":
		err = a.Directory.ForgetHub(request.Hub)
	default:
		err = a.Directory.Forget(request.Relay)
	}
	answer(w, doneJSON{true}, err)
}

// read decodes a body strictly: a member that is misspelt would otherwise change the condition of a wait.
func read(r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return status.Errorf(codes.InvalidArgument, "the body is not JSON as expected: %v", err)
	}
	return nil
}

func answer(w http.ResponseWriter, value any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		s := status.Convert(err)
		w.WriteHeader(httpStatus(s.Code()))
		value = ErrorAnswer{shortened(s.Message(), maxText), s.Code().String()}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // the client is gone
}

func httpStatus(code codes.Code) int {
	switch code {
	case codes.InvalidArgument:
		return http.StatusBadRequest
	case codes.NotFound:
		return http.StatusNotFound
	case codes.FailedPrecondition, codes.AlreadyExists:
		return http.StatusConflict
	case codes.DeadlineExceeded:
		return http.StatusGatewayTimeout
	default:
		return http.StatusBadGateway
	}
}
