// Package envfactory turns environments as the auto-configuration stream represents them into what a relay needs to
// run them.
package envfactory
