// Everything that the hub has told.

import { Collection } from "./collection.js";

const longestLog = 500;

export class Model {
  constructor(beginning) {
    this.beginning = beginning;
    this.complete = false; // the event "ready" has come
    this.upstream = null;
    this.completeness = { problem: "", notice: "" }; // of the fleet
    this.log = []; // newest first
    this.clock = 0; // ms that the hub's clock is ahead of this one
    this.environments = new Collection(describeEnvironment);
    this.relays = new Collection(describeRelay);
  }

  // now is the hub's time, in ms.
  now() {
    return Date.now() + this.clock;
  }

  apply(update) {
    const changed = this.complete ? performance.now() : 0;
    this.clock = update.now - Date.now();
    if (update.upstream) this.upstream = update.upstream;
    this.completeness = update.completeness ?? this.completeness;
    if (update.environments) this.environments.set(update.environments, changed);
    if (update.goneEnvironments) this.environments.delete(update.goneEnvironments);
    if (update.relays) this.relays.set(update.relays, changed);
    if (update.goneRelays) this.relays.delete(update.goneRelays);
    for (const entry of update.log ?? []) {
      this.log.unshift({ ...entry, changed });
    }
    this.log.length = Math.min(this.log.length, longestLog);
  }
}

function describeEnvironment(env) {
  env.expiring = [
    ...env.acceptedSdkKeys.map((key) => ({ ...key, sort: "SDK key" })),
    ...env.acceptedMobileKeys.map((key) => ({ ...key, sort: "Mobile key" })),
  ]
    .filter((key) => key.expiry)
    .map((key) => ({ ...key, time: Date.parse(key.expiry) }))
    .sort((a, b) => a.time - b.time);
  return {
    order: [env.projKey, env.envKey, env.id],
    text: [env.projKey + "/" + env.envKey, env.projName, env.envName, env.id, env.sdkKey, env.mobileKey, ...env.expiring.map((key) => key.value)]
      .join("\n")
      .toLowerCase(),
    groups: env.expiring.length > 0 ? ["expiring"] : [],
  };
}

const ranks = { behind: 0, absent: 1, unknown: 2, sent: 3, "in-sync": 4 };

function describeRelay(relay) {
  return {
    order: [ranks[relay.sync], relay.sync === "behind" ? relay.behindSince : 0, relay.name, relay.id],
    text: [relay.name, relay.address, relay.version, relay.hub, relay.status].join("\n").toLowerCase(),
    groups: [relay.sync],
  };
}
