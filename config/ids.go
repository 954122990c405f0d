package config

// EnvironmentID identifies an environment. It is not a secret: client-side SDKs carry it.
type EnvironmentID string

// FilterID identifies a payload filter across projects, for example "web.eu-only".
type FilterID string

// FilterKey names a payload filter within its project, for example "eu-only".
type FilterKey string

// GetAuthorizationHeaderValue returns nothing: an environment id goes into the URL, not into the header.
func (id EnvironmentID) GetAuthorizationHeaderValue() string { return "" }

// UnmarshalText takes the id as it is. It never fails.
func (id *EnvironmentID) UnmarshalText(text []byte) error { *id = EnvironmentID(text); return nil }

// UnmarshalText takes the id as it is. It never fails.
func (id *FilterID) UnmarshalText(text []byte) error { *id = FilterID(text); return nil }

// UnmarshalText takes the key as it is. It never fails.
func (k *FilterKey) UnmarshalText(text []byte) error { *k = FilterKey(text); return nil }
