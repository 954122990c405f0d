// The tiles at the top: the upstream, the environments and the fleet at a glance.

import { html, nothing, svg } from "./lit/lit-html.js";
import { count, counted, duration, fullTime } from "./format.js";

const conditions = {
  ok: ["good", "Up to date"],
  stale: ["warn", "Not followed"],
  "from-cache": ["warn", "From the cache"],
  "key-rejected": ["bad", "Key rejected"],
  "no-configuration": ["bad", "No configuration"],
  draining: ["warn", "Ending"],
  ended: ["bad", "Ended"],
};
const sources = { STREAM: "stream", FILE: "files", STORE: "cache", NONE: "none yet" };

export function overview(model) {
  return html`<div class="tiles">${upstream(model)}${environments(model)}${fleet(model)}</div>`;
}

function upstream(model) {
  const up = model.upstream;
  const now = model.now();
  const [tone, label] = conditions[up.condition] ?? ["warn", up.condition];
  return html`
    <section class="tile" id="upstream" aria-label="Upstream">
      <h2>Upstream</h2>
      <p class="big"><span class="light ${tone}" aria-hidden="true"></span>${label}</p>
      ${up.reason ? html`<p class="reason ${tone}">${up.reason}</p>` : nothing}
      <p class="minor">${up.state}${up.stateSince ? html` for <span title=${fullTime(up.stateSince)}>${duration(now - up.stateSince)}</span>` : nothing},
        source: ${sources[up.source] ?? up.source}${up.activity ? html`, last read ${duration(now - up.activity)} ago` : nothing}</p>
      ${up.lastError && up.condition === "ok" ? html`<p class="minor">Last problem, ${duration(now - up.errorTime)} ago: ${up.lastError}</p>` : nothing}
    </section>
  `;
}

function environments(model) {
  const now = model.now();
  let next;
  let keys = 0;
  for (const item of model.environments.members("expiring")) {
    for (const key of item.expiring) {
      if (key.time <= now) continue;
      keys++;
      if (!next || key.time < next.time) next = { time: key.time, name: `${item.projKey}/${item.envKey}` };
    }
  }
  return html`
    <section class="tile" aria-label="Environments at a glance">
      <h2>Environments</h2>
      <p class="big">${count(model.environments.size)}</p>
      <p class="minor">${model.upstream.filters ? counted(model.upstream.filters, "filter") + ", " : ""}${
        keys ? html`${counted(keys, "key")} that ${keys === 1 ? "expires" : "expire"}, the next in <b>${duration(next.time - now)}</b>: ${next.name}` : "no key expires"
      }</p>
    </section>
  `;
}

const states = [
  ["in-sync", "in sync"],
  ["sent", "sent only"],
  ["behind", "behind"],
  ["absent", "absent"],
  ["unknown", "unknown"],
];

function fleet(model) {
  const counts = model.relays.counts();
  const total = model.relays.size;
  let x = 0;
  const parts = states.map(([name]) => {
    const width = total ? ((counts[name] ?? 0) / total) * 100 : 0;
    const part = width ? svg`<rect class=${name} x=${x} width=${width} height="4"></rect>` : nothing;
    x += width;
    return part;
  });
  return html`
    <section class="tile" aria-label="Fleet at a glance">
      <h2>Fleet</h2>
      <p class="big">${count(total - (counts.absent ?? 0))} <span class="minor">${total - (counts.absent ?? 0) === 1 ? "relay" : "relays"} connected</span></p>
      <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">${parts}</svg>
      <p class="legend">${states.map(([name, label]) => (counts[name] ? html`<span class=${name}>${count(counts[name])} ${label}</span> ` : nothing))}</p>
    </section>
  `;
}
