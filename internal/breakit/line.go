package main

// line are the promises about connections: the rules 12 to 19.
var line = []promise{
	{
		text: "Rule 12: a request has the headers that a stream needs",
		file: "internal/stream/request.go", from: "\t\t\t\"Cache-Control\": {\"no-cache\"},\n", to: "",
		folder: "autoconfig", test: "TestRule12Request",
	},
	{
		text: "Rule 12: path and query of the URI keep their meaning",
		file: "internal/stream/request.go", from: `version = u.RawQuery + "&" + version`, to: `version += ""`,
		folder: "internal/stream", test: "TestRule12URL",
	},
	{
		text: "Rule 12: the error of a bad URI does not quote it",
		file: "internal/stream/request.go", from: "err = urlError.Err // without the URI, which may have a password in it", to: "err = urlError",
		folder: "autoconfig", test: "TestRule12ABadURIIsAPermanentFailure",
	},
	{
		text: "Rule 13: connected means an event stream",
		file: "internal/stream/response.go", from: `case mediaType != "text/event-stream":`, to: `case mediaType == "text/plain":`,
		folder: "autoconfig", test: "TestRule13ConnectedMeansStatus200AndAnEventStream",
	},
	{
		text: "Rule 13: connected means status 200",
		file: "internal/stream/response.go", from: "case response.StatusCode != http.StatusOK:", to: "case response.StatusCode >= 300:",
		folder: "autoconfig", test: "TestRule13ConnectedMeansStatus200AndAnEventStream",
	},
	{
		text: "Rule 14: a rejected key is final, also with status 403",
		file: "internal/stream/response.go", from: "(e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden)", to: "e.Status == http.StatusUnauthorized",
		folder: "autoconfig", test: "TestRule14ARejectedKeyIsFinal",
	},
	{
		text: "Rule 14: a rejected key is retried by choice",
		file: "internal/stream/line.go", from: "signal.Failure.Rejected && !l.options.RetryRejectedKey", to: "signal.Failure.Rejected",
		folder: "autoconfig", test: "TestRule14ARejectedKeyIsRetriedSlowlyByChoice",
	},
	{
		text: "Rule 14: that is slow",
		file: "internal/stream/failure.go", from: "case http.StatusBadRequest,", to: "case http.StatusBadRequest, http.StatusUnauthorized,",
		folder: "autoconfig", test: "TestRule14ARejectedKeyIsRetriedSlowlyByChoice",
	},
	{
		text: "Rule 14: a key that can't be sent ends the manager with ErrInvalidKey",
		file: "internal/stream/failure.go", from: "Err: err, slow: true, Rejected: true}", to: "Err: errors.New(\"it can't be sent\"), slow: true, Rejected: true}",
		folder: "autoconfig", test: "TestRule14AKeyThatCannotBeSentIsInvalid",
	},
	{
		text: "Rule 15: delays double up to 30 s",
		file: "internal/stream/retry.go", from: "maxFastDelay     = 30 * time.Second", to: "maxFastDelay     = 60 * time.Second",
		folder: "internal/stream", test: "TestRule15Schedules",
	},
	{
		text: "Rule 15: up to half of a delay is taken off at random",
		file: "internal/stream/retry.go", from: "return delay - time.Duration(s.random()*float64(delay)/2)", to: "return delay",
		folder: "internal/stream", test: "TestRule15Schedules",
	},
	{
		text: "Rule 15: a connection that has worked for a minute resets the delays, and no shorter one does",
		file: "internal/stream/retry.go", from: "healthyAfter = 60 * time.Second", to: "healthyAfter = 30 * time.Second",
		folder: "autoconfig", test: "TestRule15DelaysBetweenConnections",
	},
	{
		text: "Rule 15: a client error is retried slowly",
		file: "internal/stream/failure.go", from: "return status >= 400 && status < 500", to: "return status == 401",
		folder: "autoconfig", test: "TestRule15DelaysBetweenConnections",
	},
	{
		text: "Rule 15: Retry-After is heeded",
		file: "internal/stream/response.go", from: `e.RetryAfter = retryAfter(response.Header.Get("Retry-After"), time.Now())`, to: `_ = retryAfter("", time.Now())`,
		folder: "autoconfig", test: "TestRule15DelaysBetweenConnections",
	},
	{
		text: "Rule 15: Retry-After never shortens a delay",
		file: "internal/stream/retry.go", from: "if retryAfter <= delay {", to: "if retryAfter <= 0 {",
		folder: "internal/stream", test: "TestRule15Schedules",
	},
	{
		text: "Rule 15: a hub's exact moment replaces the delay that is due",
		file: "internal/stream/line.go", from: "if signal.Failure.exact {", to: "if signal.Failure.exact && signal.Failure.retryAfter > time.Minute {",
		folder: "autoconfig", test: "TestRule15DelaysBetweenConnections",
	},
	{
		text: "Rule 15: a reconnect event drops the connection",
		file: "autoconfig/runner.go", from: "\t\tverdict.Reconnect = true\n", to: "",
		folder: "autoconfig", test: "TestRule15ReconnectEventDropsTheConnectionOnce",
	},
	{
		text: "Rule 15: the next follows after a delay",
		file: "internal/stream/line.go", from: "\t\tsignal.Delay = l.schedule.afterLoss()\n", to: "",
		folder: "autoconfig", test: "TestRule15ReconnectEventDropsTheConnectionOnce",
	},
	{
		text: "A fleet that loses its service comes back spread out",
		file: "internal/stream/retry.go", from: "base/2 + min(spread,", to: "base/2 + min(spread/2,",
		folder: "internal/faults/fleet", test: "TestAFleetThatLosesItsServiceComesBackSpreadOut",
	},
	{
		text: "A service that rejects all is asked slowly",
		file: "internal/stream/retry.go", from: "maxSlowDelay     = time.Hour", to: "maxSlowDelay     = 30 * time.Minute",
		folder: "internal/faults/fleet", test: "TestAServiceThatRejectsAllIsAskedSlowly",
	},
	{
		text: "Rule 16: comments are counted and passed on",
		file: "autoconfig/runner.go", from: "\t\t\tr.m.recordKeepAlive(time.Now())\n", to: "",
		folder: "autoconfig", test: "TestRule16CommentsAreKeepalives",
	},
	{
		text: "Rule 16: 5 minutes of silence are too long",
		file: "autoconfig/options.go", from: "DefaultReadTimeout     = 5 * time.Minute", to: "DefaultReadTimeout     = 6 * time.Minute",
		folder: "autoconfig", test: "TestRule16Silence",
	},
	{
		text: "Rule 16: bytes of a chunk under way are no silence",
		file: "internal/stream/body.go", from: "b.below, _ = response.Body.(interface{ LastByte() time.Time })", to: "_ = b.below",
		folder: "autoconfig", test: "TestRule16BytesOfAChunkUnderWayAreNoSilence",
	},
	{
		text: "Rule 16: raw bytes of a compressed stream are no silence",
		file: "internal/stream/body.go", from: "r.b.lastRead.Store(int64(time.Since(r.b.born)))", to: "_ = time.Since(r.b.born)",
		folder: "autoconfig", test: "TestRule16RawBytesOfACompressedStreamAreNoSilence",
	},
	{
		text: "Rule 16: time in the handler is no silence",
		file: "internal/stream/silence.go", from: "w.reader.Silence(now)-w.paused", to: "w.reader.Silence(now)",
		folder: "autoconfig", test: "TestRule16Silence",
	},
	{
		text: "Rule 16: a key that expires is no sign of life",
		file: "internal/stream/silence.go", from: "w.paused += took", to: "w.paused += w.silence(time.Now())",
		folder: "autoconfig", test: "TestRule16Silence",
	},
	{
		text: "Rule 16: a handler call under way when the time is up puts the end off by its own time only",
		file: "internal/stream/silence.go", from: "\t\tw.goneOff = true\n", to: "\t\tw.timer.Reset(w.timeout)\n",
		folder: "internal/stream", test: "TestAHandlerCallPutsTheEndOfASilentConnectionOffByItsOwnTimeOnly",
	},
	{
		text: "A handler that blocks for longer than the read timeout loses nothing",
		file: "internal/stream/silence.go", from: "if w.pauses > 0 {", to: "if w.timeout < 0 {",
		folder: "internal/faults/endure", test: "TestAHandlerThatBlocksForLongerThanTheReadTimeoutLosesNothing",
	},
	{
		text: "A line that carries nothing any more is given up",
		file: "internal/stream/silence.go", from: "\t\tw.cancel(&timeoutError{timeoutFailure(\"nothing came on", to: "\t\t_ = (&timeoutError{timeoutFailure(\"nothing came on",
		folder: "internal/faults/line", test: "TestABlackHole",
	},
	{
		text: "Rule 17: SetKey drops the connection at once",
		file: "internal/stream/line.go", from: "l.drop(errKeyChanged)", to: "_ = l.drop",
		folder: "autoconfig", test: "TestRule17SetKeyReconnectsAtOnceAndKeepsTheState",
	},
	{
		text: "Rule 17: SetKey ends a wait at once",
		file: "internal/stream/line.go", from: "\tcase <-l.keyChanged:\n\t\tl.schedule.reset()\n\t\treturn true\n", to: "",
		folder: "autoconfig", test: "TestRule17SetKeyReconnectsAtOnceAndKeepsTheState",
	},
	{
		text: "Rule 17: SetKey ends a burst",
		file: "internal/stream/signal.go", from: "if s.Item.More || s.Dropped() {", to: "if s.Item.More {",
		folder: "autoconfig", test: "TestRule17SetKeyEndsABurst",
	},
	{
		text: "Rule 17: Close ends a wait at once",
		file: "internal/stream/line.go", from: "\tcase <-l.ctx.Done():\n\t\treturn false\n", to: "",
		folder: "autoconfig", test: "TestRule17CloseTakesEffectAtOnce",
	},
	{
		text: "Rule 17: a handler's call that is running at Close is the last one",
		file: "autoconfig/dispatch.go", from: "if ctx.Err() != nil {", to: "if ctx == nil {",
		folder: "autoconfig", test: "TestRule17CloseTakesEffectAtOnce",
	},
	{
		text: "Rule 17: Close ends each phase of a real connection",
		file: "internal/stream/line.go", from: "\tcase <-l.ctx.Done():\n\t\treturn false\n", to: "\tcase <-l.ctx.Done():\n\t\ttime.Sleep(2 * time.Minute)\n\t\treturn false\n",
		folder: "autoconfig", test: "TestRule17CloseEndsEachPhaseOverRealHTTP",
	},
	{
		text: "Rule 18: INITIALIZING until the first put",
		file: "autoconfig/runner.go", from: "state != StateValid && (r.fed || state != StateInitializing)", to: "state != StateValid",
		folder: "autoconfig", test: "TestRule18States",
	},
	{
		text: "Rule 18: INTERRUPTED from the loss of a connection",
		file: "autoconfig/runner.go", from: "\t\tr.m.setState(StateInterrupted)\n", to: "",
		folder: "autoconfig", test: "TestRule18States",
	},
	{
		text: "Rule 18: a connection that brings nothing but comments is given up",
		file: "internal/stream/silence.go", from: "if w.fed || w.reader == nil {", to: "if w.timeout > 0 {",
		folder: "autoconfig", test: "TestRule18NothingButCommentsForAWholeReadTimeout",
	},
	{
		text: "Rule 18: a put that arrives slowly, with comments between, is fine",
		file: "internal/stream/silence.go", from: "if field := w.reader.LastField(); field.After(from) {", to: "if field := w.reader.LastField(); field.Before(from) {",
		folder: "autoconfig", test: "TestRule18NothingButCommentsForAWholeReadTimeout",
	},
	{
		text: "Rule 19: the first event of a resumed stream counts as the first put",
		file: "autoconfig/runner.go", from: "r.resumed, r.fed, r.streamApplied = false, true, true", to: "r.resumed, r.streamApplied = false, true",
		folder: "autoconfig", test: "TestRule19AResumedStreamsFirstEventCountsAsTheFirstPut",
	},
	{
		text: "Rule 19: the header means nothing if no id was sent",
		file: "internal/stream/response.go", from: ` && id != "" && id != PutNeeded`, to: `&& (id != "" || id != PutNeeded)`,
		folder: "autoconfig", test: "TestRule19AResumedStreamsFirstEventCountsAsTheFirstPut",
	},
	{
		text: "Each request has the random id of its manager",
		file: "autoconfig/runner.go", from: "m.instance,", to: `"",`,
		folder: "autoconfig", test: "TestAManagerSendsItsInstanceWithEachRequest",
	},
	{
		text: "The id of a manager goes to no other host",
		file: "httpconfig/roundtrip.go", from: ` || strings.EqualFold(name, instanceHeader)`, to: "",
		folder: "httpconfig", test: "TestKeyAndInstanceGoToTheOriginOnly",
	},
	{
		text: "A stream is resumed from the digest of what is known",
		file: "internal/stream/request.go", from: "request.Header.Set(lastEventID, resumeFrom)", to: `request.Header.Set(lastEventID, "")`,
		folder: "autoconfig", test: "TestResumeTheIDIsTheDigestOfTheKnownConfiguration",
	},
	{
		text: "A configuration that lacks something is not the base of a resumed stream",
		file: "autoconfig/manager.go", from: "case m.needsPut:", to: "case m.needsPut && m.key == \"\":",
		folder: "autoconfig", test: "TestResumeNeedsAConfigurationThatLacksNothing",
	},
	{
		text: "A stored configuration is resumed from after a restart",
		file: "autoconfig/snapshot.go", from: "r.m.needsPut = snapshot.Digest != r.m.state.Digest().String()", to: "r.m.needsPut = true",
		folder: "autoconfig", test: "TestResumeFromASnapshotAfterARestart",
	},
	{
		text: "A snapshot of another configuration is not resumed from",
		file: "autoconfig/snapshot.go", from: "r.m.needsPut = snapshot.Digest != r.m.state.Digest().String()", to: `r.m.needsPut = snapshot.Digest == ""`,
		folder: "autoconfig", test: "TestResumeNotFromASnapshotThatLacksSomething",
	},
	{
		text: "The first connection waits 200 ms for the store, and no longer",
		file: "autoconfig/load.go", from: "storeHeadStart = 200 * time.Millisecond", to: "storeHeadStart = 2 * time.Second",
		folder: "autoconfig", test: "TestTheStoreHasAHeadStart",
	},
	{
		text: "Each event of a compressed stream may be a member of its own",
		file: "internal/stream/body.go", from: "b.inMember, err = false, nil", to: "b.inMember = false",
		folder: "autoconfig", test: "TestGzipEachEventMayBeAMemberOfItsOwn",
	},
	{
		text: "A damaged compressed stream is dropped for a fresh put",
		file: "internal/stream/failure.go", from: "errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt)", to: "errors.As(err, &corrupt) && errors.Is(err, gzip.ErrHeader)",
		folder: "autoconfig", test: "TestGzipADamagedStreamIsDroppedForAFreshPut",
	},
	{
		text: "What a hub had stored is unconfirmed until the hub confirms it",
		file: "autoconfig/runner.go", from: "signal.Key, false, signal.Resumed, signal.Unconfirmed", to: "signal.Key, false, signal.Resumed, time.Time{}",
		folder: "autoconfig", test: "TestWhatAHubHadStoredIsConfirmedWhenTheHubSaysSo",
	},
	{
		text: "A name from the service forges no line of the log",
		file: "autoconfig/log.go", from: `mask.Visible(mask.Shorten(rep.ProjKey+"/"+rep.EnvKey))`, to: `mask.Shorten(rep.ProjKey+"/"+rep.EnvKey)`,
		folder: "autoconfig", test: "TestLogLinesAreWholeAndSteerNoTerminal",
	},
}
