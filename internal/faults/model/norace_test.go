//go:build !race

package model

// histories is how many TestRelayIsToldWhatTheRulesSay plays, unless -rapid.checks says otherwise.
const histories = "4000"
