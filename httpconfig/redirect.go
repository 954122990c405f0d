package httpconfig

import (
	"errors"
	"fmt"
	"net/http"
)

// maxRedirects is how many redirects in a row are followed.
const maxRedirects = 10

// checkRedirect is for http.Client. The request is the one to come; via has those already made, the oldest first.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("stopped after %d redirects: the service seems to redirect in a circle", maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return errors.New("the service redirected from https to " + req.URL.Scheme +
			", which is not followed because anybody on the way could read what is sent")
	}
	return nil
}
