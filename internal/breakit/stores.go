package main

// stores are the promises about starts without the service.
var stores = []promise{
	{
		text: "A store that has lost the configuration gets it again with the next put",
		file: "autoconfig/load.go", from: "r.saver.confirm()", to: "_ = r.saver",
		folder: "autoconfig", test: "TestStoreThatHasLostItsSnapshotGetsItWithTheNextPut",
	},
	{
		text: "A real Redis that has lost the configuration gets it again with the next put",
		file: "autoconfig/load.go", from: "r.saver.confirm()", to: "_ = r.saver",
		folder: "store/redisstore", test: "TestAConfigurationThatRedisHasLostComesBack", tags: "servers",
	},
	{
		text: "A configuration that the service confirms is saved again",
		file: "autoconfig/saver.go", from: "return !s.confirmed.IsZero() && s.confirmedAt().After(s.confirmed), s.key",
		to:     "return false, s.key",
		folder: "autoconfig", test: "TestStoreIsRefreshedHourlyWhileTheServiceConfirmsTheConfiguration",
	},
	{
		text: "That is at least once an hour",
		file: "autoconfig/saver.go", from: "maxRefresh = 50 * time.Minute", to: "maxRefresh = 90 * time.Minute",
		folder: "autoconfig", test: "TestStoreIsRefreshedHourlyWhileTheServiceConfirmsTheConfiguration",
	},
	{
		text: "A configuration that the service does not confirm is not saved again",
		file: "autoconfig/saver.go", from: "s.confirmedAt().After(s.confirmed), s.key", to: "s.confirmedAt != nil, s.key",
		folder: "autoconfig", test: "TestStoreIsNotRefreshedWithWhatTheServiceDoesNotConfirm",
	},
	{
		text: "A configuration that was only loaded is not saved",
		file: "autoconfig/saver.go", from: "!s.confirmed.IsZero() && ", to: "",
		folder: "autoconfig", test: "TestStoreIsNotRefreshedWithWhatTheServiceDoesNotConfirm",
	},
	{
		text: "The saves of a fleet after a put are spread",
		file: "autoconfig/saver.go", from: "between(saveDelay, maxConfirmDelay)", to: "saveDelay",
		folder: "autoconfig", test: "TestStoreSavesOfAFleetAreSpread",
	},
	{
		text: "A keepalive confirms the configuration",
		file: "autoconfig/status_record.go", from: "return later(s.confirmedAt, s.confirming.LastByte())", to: "return s.confirmedAt",
		folder: "autoconfig", test: "TestStoreSnapshotSaysWhenTheServiceLastConfirmedIt",
	},
	{
		text: "A connection that has brought no put confirms nothing",
		file: "autoconfig/status_record.go", from: "m.status.confirmedAt, m.status.confirming = m.status.lastConfirmed(), nil",
		to:     "m.status.confirming = opened",
		folder: "autoconfig", test: "TestStoreSnapshotSaysWhenTheServiceLastConfirmedIt",
	},
	{
		text: "The age of a stored configuration goes by its confirmation",
		file: "autoconfig/store.go", from: "return s.ConfirmedAt\n", to: "return s.SavedAt\n",
		folder: "autoconfig", test: "TestStoreAgeGoesByTheConfirmation",
	},
	{
		text: "A store follows the key",
		file: "autoconfig/saver.go", from: "keyed.RotateKey(storeKey, key)", to: "_ = keyed",
		folder: "autoconfig", test: "TestStoreFollowsAKeyOnceTheServiceHasAcceptedIt",
	},
	{
		text: "A restart with the new key can use the cache",
		file: "autoconfig/saver.go", from: "keyed.RotateKey(storeKey, key)", to: "_ = keyed",
		folder: "store/filestore", test: "TestARelayThatRestartsWithARotatedKeyCanUseItsCache",
	},
	{
		text: "A store follows a key only when the service has accepted it",
		file: "autoconfig/load.go", from: "\tif confirmed {", to: "\tif confirmed || r.line != nil {",
		folder: "autoconfig", test: "TestStoreFollowsAKeyOnceTheServiceHasAcceptedIt",
	},
	{
		text: "A store with a secret of its own does not follow",
		file: "store/sealed/box.go", from: "if b.keys[0] == former {", to: "if former != key {",
		folder: "store/filestore", test: "TestRotateKeyIsForAStoreThatHasTheFormerKey",
	},
	{
		text: "A save that works again is logged",
		file: "autoconfig/saver.go", from: "s.recovered(s.failures)", to: "_ = s.failures",
		folder: "autoconfig", test: "TestStoreIsNamedInEveryLineAboutIt",
	},
	{
		text: "A put that comes first makes a late load void",
		file: "autoconfig/load.go", from: "loaded.snapshot != nil && !r.streamApplied && ", to: "loaded.snapshot != nil && ",
		folder: "autoconfig", test: "TestStoreAPutThatArrivesFirstMakesALateLoadVoid",
	},
	{
		text: "A slow store is written less often",
		file: "autoconfig/saver.go", from: "saveRest = 4", to: "saveRest = 1",
		folder: "autoconfig", test: "TestStoreNeverDelaysAnEvent",
	},
	{
		text: "A store that hangs holds up the end for 5 s at most",
		file: "autoconfig/load.go", from: "storeEndLimit = 5 * time.Second", to: "storeEndLimit = 6 * time.Second",
		folder: "autoconfig", test: "TestStoreAtTheEnd",
	},
	{
		text: "A rejected key leaves a relay with the stored configuration",
		file: "autoconfig/runner.go", from: "\tr.awaitLoaded()\n", to: "",
		folder: "autoconfig", test: "TestStoreARejectedKeyLeavesTheRelayServing",
	},
	{
		text: "Texts survive a restart as they came",
		file: "autoconfig/snapshot.go", from: "texts[id] = known.Text", to: "_ = texts",
		folder: "autoconfig", test: "TestTextsSurviveARestart",
	},
	{
		text: "Tombstones survive a restart",
		file: "autoconfig/snapshot.go", from: "tombstones[id] = known.Version", to: "_ = tombstones",
		folder: "autoconfig", test: "TestTombstonesSurviveARestart",
	},
	{
		text: "After an upgrade, a member that the cache had lost is news",
		file: "autoconfig/snapshot.go", from: "entry.Provisional = !ok", to: "_ = ok",
		folder: "autoconfig", test: "TestAnUpgradeThatStartsFromACacheHasANewMember",
	},
	{
		text: "A snapshot with a damaged text is left out",
		file: "autoconfig/snapshot.go", from: "entry, err := item(string(id), text)\n\t\tif err != nil {", to: "entry, err := item(string(id), text)\n\t\tif err != nil && ok && text == \"\" {",
		folder: "autoconfig", test: "TestASnapshotWithADamagedTextIsLeftOut",
	},
	{
		text: "Replicas are told of another text at the same version",
		file: "autoconfig/dispatch.go", from: "\tstate.EnvironmentRewritten: EnvironmentChanged,\n", to: "",
		folder: "autoconfig", test: "TestChanges",
	},
	{
		text: "A Load only reads",
		file: "store/filestore/filestore.go", from: "s.unusable = &unusableFile{info, unreadable.Reason}",
		to:     "_, s.unusable = os.Rename(s.path, s.path+\".damaged-1\"), &unusableFile{info, unreadable.Reason}",
		folder: "store/filestore", test: "TestALoadLeavesAFileThatCannotBeUsedAndASaveSetsItAside",
	},
	{
		text: "A Save sets aside a file of another key",
		file: "store/filestore/filestore.go", from: "\tif unreadable != nil {",
		to:     "\tif unreadable != nil && info.Size() == 0 {",
		folder: "store/filestore", test: "TestASaveWithoutALoadSetsAsideAFileOfAnotherKey",
	},
	{
		text: "A Save sets aside a file that is damaged behind its header",
		file: "store/filestore/read.go", from: "if s.unusable != nil && same(s.unusable.info, info) {", to: "if s.unusable == nil && info == nil {",
		folder: "store/filestore", test: "TestALoadLeavesAFileThatCannotBeUsedAndASaveSetsItAside",
	},
	{
		text: "A Save that fails puts back the file that it had set aside",
		file: "store/filestore/filestore.go", from: "old.undo()", to: "_ = old",
		folder: "store/filestore", test: "TestASaveThatFailsPutsBackTheFileSetAside",
	},
	{
		text: "A file that another process has replaced meanwhile is not set aside",
		file: "store/filestore/aside.go", from: "err != nil || !same(moved, info)", to: "err != nil || moved == nil",
		folder: "store/filestore", test: "TestAGoodFileThatComesMeanwhileIsNotSetAside",
	},
	{
		text: "A file of somebody else is never touched",
		file: "store/filestore/filestore.go", from: "if errors.Is(unreadable, store.ErrForeign) {", to: "if errors.Is(unreadable, store.ErrOlder) {",
		folder: "store/filestore", test: "TestAFileOfSomebodyElseIsNeverTouched",
	},
	{
		text: "A stored configuration is for its owner only",
		file: "internal/atomicfile/atomicfile.go", from: "Mode os.FileMode = 0o600", to: "Mode os.FileMode = 0o640",
		folder: "store/filestore", test: "TestOnlyTheOwnerMayReadTheFileAndNobodyTheKeys",
	},
	{
		text: "A file is replaced, never written over",
		file: "internal/atomicfile/atomicfile.go", from: "return file.Name(), ctx.Err()", to: "return file.Name(), os.Truncate(target, 0)",
		folder: "store/filestore", test: "TestTwoProcessesOnOneFileDoNotCorruptIt",
	},
	{
		text: "Temporary files that may be in use are kept",
		file: "internal/atomicfile/leftover.go", from: "now.Sub(info.ModTime()) > leftoverAge", to: "now.After(info.ModTime())",
		folder: "internal/atomicfile", test: "TestRemovesTemporaryFilesOlderThanADay",
	},
	{
		text: "What an earlier version has stored is opened",
		file: "store/sealed/box.go", from: `"relayconf snapshot v1 encryption"`, to: `"relayconf snapshot v2 encryption"`,
		folder: "store/sealed", test: "TestOpensWhatEarlierVersionsHaveStored",
	},
	{
		text: "A wrong key is told from damage",
		file: "store/sealed/box.go", from: "h.keyCheck[:]) == 1 {", to: "h.keyCheck[:]) >= 0 {",
		folder: "store/sealed", test: "TestTellsWhyItCannotBeOpened",
	},
	{
		text: "In a shared Redis, an older configuration does not replace a newer one",
		file: "store/redisstore/transaction.go", from: "if stored != nil && Older(snapshot, stored) {",
		to:     "if stored != nil && Older(stored, stored) {",
		folder: "store/redisstore", test: "TestAnOlderSnapshotDoesNotReplaceANewer", tags: "servers",
	},
	{
		text: "A Redis key of somebody else is never touched",
		file: "store/redisstore/transaction.go", from: "if errors.Is(reason, store.ErrForeign) {", to: "if errors.Is(reason, store.ErrOlder) {",
		folder: "store/redisstore", test: "TestALoadLeavesAValueThatCannotBeUsedAndASaveSetsItAside", tags: "servers",
	},
	{
		text: "In Redis, a value of another key is set aside",
		file: "store/redisstore/transaction.go", from: "if aside != \"\" {", to: "if len(aside) == 1 {",
		folder: "store/redisstore", test: "TestALoadLeavesAValueThatCannotBeUsedAndASaveSetsItAside", tags: "servers",
	},
	{
		text: "A cache that is something else is bad usage",
		file: "cmd/relayconf/cached.go", from: "\t\tc.foreign <- err\n", to: "",
		folder: "cmd/relayconf", test: "TestACacheThatIsSomethingElseIsBadUsageAndNotTouched",
	},
}
