package config

import "errors"

// SettingError is a problem with one setting, and how to solve it. It never holds a secret.
type SettingError struct {
	Variable string // the environment variable, for example "PROXY_URL"
	Field    string // the field that the variable sets, for example "ProxyConfig.URL"
	Problem  string // for people: the problem, and how to solve it
	Err      error  // the cause, for errors.Is; nil if there is none
}

// Error names the variable and the field.
func (e *SettingError) Error() string { return e.Variable + " (" + e.Field + ") " + e.Problem }

// Unwrap returns the cause, if there is one.
func (e *SettingError) Unwrap() error { return e.Err }

// joinSettingErrors returns nil if there are no problems.
func joinSettingErrors(problems []*SettingError) error {
	joined := make([]error, len(problems))
	for i, problem := range problems {
		joined[i] = problem
	}
	return errors.Join(joined...)
}
