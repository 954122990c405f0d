package main

import (
	"io"

	"github.com/fatih/color"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/envjson"
	"github.com/relayconf/relayconf/cmd/relayconf/internal/show"
)

// newLine returns what prints a change on standard output, as the flags say.
func newLine(o watchOptions) func(change.Change) error {
	if o.format == "json" {
		return func(c change.Change) error {
			if c.Kind == change.KeepAlive && !o.verbose {
				return nil
			}
			_, err := color.Output.Write(change.JSON(c, envjson.Masked))
			return err
		}
	}
	text := show.Text{}
	if onTerminal := !color.NoColor; onTerminal { // it minds NO_COLOR and TERM=dumb too
		text = show.Text{Colour: true, Layout: show.ClockOnly}
	}
	return func(c change.Change) error {
		if c.Kind == change.KeepAlive && !o.verbose {
			return nil
		}
		_, err := io.WriteString(color.Output, text.Line(c))
		return err
	}
}
