//go:build linux && servers && !race

package hubs

// buildFlags make the hubs look for data races, too, if the tests do.
var buildFlags []string
