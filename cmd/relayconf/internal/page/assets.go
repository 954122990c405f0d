package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
)

//go:embed assets
var embedded embed.FS

// assets are the files of the page.
var assets = func() fs.FS {
	sub, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}()

// build identifies the files of the page.
var build = func() string {
	sum := sha256.New()
	_ = fs.WalkDir(assets, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(assets, path)
		sum.Write([]byte(path + "\x00"))
		sum.Write(data)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)[:8])
}()

// policy lets the page load its own files and nothing else, and make no HTML from text but by the templates of lit-html.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types lit-html"

// Register adds the page at / and its files at /page/.
func (p *Page) Register(mux *http.ServeMux) {
	files := http.FileServerFS(assets)
	mux.Handle("GET /{$}", secured(files))
	mux.Handle("GET /page/", secured(http.StripPrefix("/page", files)))
	mux.Handle("GET /page/events", secured(http.HandlerFunc(p.events)))
}

func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
