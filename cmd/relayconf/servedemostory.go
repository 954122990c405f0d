package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/template"
	"time"
)

// demoStep is a remark, and a change that follows it.
type demoStep struct {
	remark string
	change func(*hubDemo) error
}

// demoStory is a round of changes. demoReset undoes them.
var (
	demoStory = []demoStep{
		{"The SDK key of web/production is rotated; the old one counts for 10 s more. Has every relay applied it?", func(d *hubDemo) error {
			err := d.editEnvironments(func(f *demoFiles) {
				f.FormerSDKKey, f.SDKKey = f.SDKKey, f.SDKKey+1
				f.Expiry = time.Now().Add(demoGrace).UTC().Format(time.RFC3339)
			})
			d.wait(demoPatience)
			return err
		}},
		{"The relay us-1 is stopped.", func(d *hubDemo) error {
			d.stopRelay("us-1")
			return nil
		}},
		{"An environment of the shop is added. fleet wait says who does not have it.", func(d *hubDemo) error {
			err := d.editEnvironments(func(f *demoFiles) { f.Test = true })
			d.wait(time.Second)
			return err
		}},
		{"us-1 is back, and gets all of it.", func(d *hubDemo) error {
			err := d.startRelay("us-1")
			d.wait(demoPatience)
			return err
		}},
		{"Somebody makes a mistake in the file. Nothing changes, and the log names the line.", func(d *hubDemo) error {
			return d.edit(func(f *demoFiles) { f.TTL = "five minutes" })
		}},
		{"It is mended, and web/staging is gone. The relay of the shop is told nothing.", func(d *hubDemo) error {
			return d.edit(func(f *demoFiles) { f.TTL, f.Staging = "600", false })
		}},
		{"The key of the relay of the shop is revoked.", func(d *hubDemo) error {
			err := d.edit(func(f *demoFiles) { f.ShopKey = false })
			if err == nil {
				d.waitForTheEndOf("shop-1")
			}
			return err
		}},
	}
	demoReset = []demoStep{
		{"The files are as they were at first, and the relay of the shop has its key again.", func(d *hubDemo) error {
			d.stopRelay("shop-1") // its stream has ended for good: the key was rejected
			err := d.editEnvironments(func(f *demoFiles) {
				key := f.SDKKey
				*f = firstDemoFiles
				f.SDKKey = key
			})
			return errors.Join(err, d.startRelay("shop-1"))
		}},
	}
)

// demoGrace is how long a rotated key counts.
const demoGrace = 10 * time.Second

//go:embed servedemo.yaml.tmpl
var demoEnvironments string

var demoTemplate = template.Must(template.New("").Parse(demoEnvironments))

const (
	demoKeys = `keys:
  - name: all
    key: rel-demo-all
`
	demoShopKey = `  - name: shop
    key: rel-demo-shop
    projects: [shop]
`
)

// demoFiles are the contents of the files that the hub reads.
type demoFiles struct {
	SDKKey, FormerSDKKey int    // the numbers of two keys of web/production
	Expiry               string // of the former key; empty: there is none
	TTL                  string // of web/production
	Staging, Test        bool   // whether these environments are there
	ShopKey              bool   // whether the key of the shop counts
}

var firstDemoFiles = demoFiles{SDKKey: 1, TTL: "300", Staging: true, ShopKey: true}

// write replaces the files that differ.
func (f demoFiles) write(o serveOptions) error {
	var environments strings.Builder
	err := demoTemplate.Execute(&environments, f)
	keys := demoKeys
	if f.ShopKey {
		keys += demoShopKey
	}
	return errors.Join(err, replaceDemoFile(o.environments, environments.String()), replaceDemoFile(o.keys, keys))
}

func replaceDemoFile(path, text string) error {
	if present, err := os.ReadFile(path); err == nil && string(present) == text {
		return nil
	}
	err := os.WriteFile(path+".new", []byte(text), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("the demo can't change its file: %w", err)
	}
	return nil
}

func (d *hubDemo) edit(change func(*demoFiles)) error {
	change(&d.files)
	return d.files.write(d.options)
}

// editEnvironments returns when the hub has read the change.
func (d *hubDemo) editEnvironments(change func(*demoFiles)) error {
	grant, err := d.hub.Authenticate(demoRelayKeys["eu-1"])
	if err != nil {
		return err
	}
	before := grant.View(hubProtocolVersion)
	if err := d.edit(change); err != nil {
		return err
	}
	select {
	case <-before.Changed:
		return nil
	case <-time.After(demoPatience):
		return errors.New("the hub of the demo does not read its files")
	case <-d.stop.Done():
		return nil
	}
}
