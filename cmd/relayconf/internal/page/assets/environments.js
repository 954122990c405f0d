// The list of environments.

import { html, nothing } from "./lit/lit-html.js";
import { repeat } from "./lit/directives/repeat.js";
import { duration, fullTime } from "./format.js";
import { fresh, section } from "./list.js";

export function environments(model, list, changed) {
  const now = model.now();
  return section({
    id: "environments",
    title: "Environments",
    noun: "environments",
    collection: model.environments,
    list,
    changed,
    groups: [["", "All"], ["expiring", "Keys that expire"]],
    empty: html`<p><strong>There are no environments.</strong></p>
      <p>${model.upstream?.reason || "The upstream has none for this key."}</p>`,
    rows: (entries) => html`
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">Environment</th>
            <th role="columnheader" scope="col">SDK key</th>
            <th role="columnheader" scope="col">Expiring keys</th>
            <th role="columnheader" scope="col" class="end">Version</th>
            <th role="columnheader" scope="col"><span class="unseen">Details</span></th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${repeat(entries, (entry) => entry.item.id, (entry) => rows(entry, now, list, changed))}
        </tbody>
      </table>
    `,
  });
}

function rows(entry, now, list, changed) {
  const env = entry.item;
  const open = list.open.has(env.id);
  const toggle = () => {
    if (!list.open.delete(env.id)) list.open.add(env.id);
    changed();
  };
  return html`
    <tr role="row" class=${fresh(entry)} data-id=${env.id}>
      <th role="rowheader" scope="row">
        <span class="name"><span class="minor">${env.projKey}/</span>${env.envKey}</span>
      </th>
      <td role="cell" data-label="SDK key" class="code">${env.sdkKey}</td>
      <td role="cell" data-label="Expiring keys" class="expiries ${env.expiring.length > 0 ? "" : "blank"}">${env.expiring.map((key) => countdown(key, now))}</td>
      <td role="cell" data-label="Version" class="end code">${env.version}</td>
      <td role="cell" class="end action">
        <button type="button" class="quiet" aria-expanded=${open} aria-label="Details of ${env.projKey}/${env.envKey}"
          @click=${toggle}>${open ? "−" : "+"}</button>
      </td>
    </tr>
    ${open ? html`<tr role="row" class="details"><td role="cell" colspan="5">${details(env, now)}</td></tr>` : nothing}
  `;
}

const soon = 60_000; // ms

function countdown(key, now) {
  const left = key.time - now;
  const state = left <= 0 ? "over" : left < soon ? "soon" : "later";
  return html`<span class="expiry ${state}" title="${key.sort}${key.name ? ` “${key.name}”` : ""}, until ${fullTime(key.time)}"><span
    class="code">${key.value}</span> ${left <= 0 ? "has expired" : html`in <b>${duration(left)}</b>`}</span>`;
}

function details(env, now) {
  const facts = [
    ["Project", env.projName || env.projKey],
    ["Name", env.envName || env.envKey],
    ["ID", html`<span class="code">${env.id}</span>`],
    ["SDK keys", keys(env.acceptedSdkKeys, env.sdkKey, now)],
    ["Mobile keys", keys(env.acceptedMobileKeys, env.mobileKey, now)],
    ["Cache for", env.ttlSeconds ? duration(env.ttlSeconds * 1000) : "not at all"],
    ["Secure mode", env.secureMode ? "on" : "off"],
  ];
  return html`<dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function keys(accepted, main, now) {
  if (accepted.length === 0) return main ? html`<span class="code">${main}</span>` : "none";
  return accepted.map((key) => {
    const until = key.expiry ? Date.parse(key.expiry) : 0;
    return html`<span class="key"><span class="code">${key.value}</span>${key.name ? html` <span class="minor">${key.name}</span>` : nothing}${
      until ? html` <span class="minor">${until > now ? `expires in ${duration(until - now)}` : "has expired"}</span>` : nothing
    }</span>`;
  });
}
