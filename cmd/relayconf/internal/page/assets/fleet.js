// The list of relays.

import { html, nothing } from "./lit/lit-html.js";
import { repeat } from "./lit/directives/repeat.js";
import { duration, fullTime, roundTrip } from "./format.js";
import { fresh, section } from "./list.js";

const labels = { "in-sync": "In sync", behind: "Behind", sent: "Sent only", absent: "Absent", unknown: "Unknown" };
const titles = {
  "in-sync": "The relay's agent has confirmed that everything is applied",
  behind: "The relay lacks a change",
  sent: "Everything was sent. The relay has no agent that confirms it",
  absent: "The relay is known, and not connected",
  unknown: "The hub has no configuration to compare with",
};

// streams says what a relay tells of the stream that its configuration comes by, unless it is VALID. Other states come from
// newer relays.
const streams = { INITIALIZING: "its stream has yet to begin", INTERRUPTED: "its stream is interrupted", OFF: "its stream has ended" };
const streamTitle = "The relay says so itself. It keeps the configuration that it has";

export function fleet(model, list, changed) {
  const now = model.now();
  return section({
    id: "fleet",
    title: "Fleet",
    noun: "relays",
    collection: model.relays,
    list,
    changed,
    groups: [["", "All"], ...["behind", "sent", "absent", "in-sync"].map((name) => [name, labels[name]])],
    ...model.completeness,
    empty: html`<p><strong>No relay is connected.</strong></p>
      <p>Set the <code>STREAM_URI</code> of a relay to the address of this hub's relay listener.</p>`,
    rows: (entries) => html`
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">Relay</th>
            <th role="columnheader" scope="col">Configuration</th>
            <th role="columnheader" scope="col" class="end">Round trip</th>
            <th role="columnheader" scope="col">Connected</th>
            <th role="columnheader" scope="col">Address</th>
            <th role="columnheader" scope="col">Version</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${repeat(entries, (entry) => entry.item.id, (entry) => row(entry, now))}
        </tbody>
      </table>
    `,
  });
}

function row(entry, now) {
  const relay = entry.item;
  const since = relay.since ? duration(now - relay.since) : "";
  return html`
    <tr role="row" class=${fresh(entry)} data-id=${relay.id}>
      <th role="rowheader" scope="row">
        <span class="name">${relay.name}</span>
        ${relay.hub ? html`<span class="minor">on ${relay.hub}</span>` : nothing}
      </th>
      <td role="cell" class="sync" data-label="Configuration">
        <span class="badge ${relay.sync}" title=${titles[relay.sync]}>${labels[relay.sync]}${
          relay.sync === "behind" ? html` for <b>${duration(now - relay.behindSince)}</b>` : nothing
        }</span>
        ${relay.status ? html`<span class="minor" title=${streamTitle}>${streams[relay.status] ?? relay.status.toLowerCase()}</span>` : nothing}
      </td>
      <td role="cell" class="end" data-label="Round trip">${roundTrip(relay.roundTripSeconds)}</td>
      <td role="cell" class="when" data-label="Connected"><span title=${relay.since ? fullTime(relay.since) : ""}>${
        relay.sync === "absent" && since ? `left ${since} ago` : since
      }</span></td>
      <td role="cell" data-label="Address" class="code cut" title=${relay.address}>${relay.address}</td>
      <td role="cell" data-label="Version" class="version cut" title=${relay.version}>${relay.version}</td>
    </tr>
  `;
}
