// Package envfactory turns environments as the auto-configuration stream represents them into the params and the
// configuration that a relay runs them with.
package envfactory
