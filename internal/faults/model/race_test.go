//go:build race

package model

// histories is how many TestRelayIsToldWhatTheRulesSay plays, unless -rapid.checks says otherwise.
// The race detector makes each take ten times as long.
const histories = "1000"
