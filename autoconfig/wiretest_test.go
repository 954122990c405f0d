package autoconfig

import "github.com/relayconf/relayconf/internal/wire/wiretest"

var (
	env       = wiretest.Env
	expiring  = wiretest.Expiring
	filter    = wiretest.Filter
	member    = wiretest.Member
	listedEnv = wiretest.Listed
	put       = wiretest.Put
	putWith   = wiretest.PutWith
	patch     = wiretest.Patch
	patchEnv  = wiretest.PatchEnv
	deletion  = wiretest.Deletion
	epoch     = wiretest.Epoch
)
