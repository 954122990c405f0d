// The log of changes, newest first.

import { html, nothing } from "./lit/lit-html.js";
import { repeat } from "./lit/directives/repeat.js";
import { fullTime, localTimes, timeOfDay } from "./format.js";
import { fresh, onPage, pager } from "./list.js";

// unbroken keeps masked keys from being broken after their ellipsis.
const unbroken = (text) => text.split(/(…[^\s;,]{1,8})/).map((part, i) => (i % 2 ? html`<span class="unbroken">${part}</span>` : part));

export function log(model, list, changed) {
  const entries = onPage(model.log, list);
  return html`
    <section id="log" class="panel" aria-labelledby="log-title" tabindex="-1">
      <div class="panel-head"><h2 id="log-title">Changes</h2></div>
      ${entries.length === 0
        ? html`<div class="empty"><p>Nothing has changed so far.</p></div>`
        : html`<ol class="entries">
            ${repeat(entries, (entry) => entry.number, (entry) => html`
              <li class="entry ${entry.kind} ${fresh(entry)}" data-number=${entry.number}>
                <time datetime=${new Date(entry.time).toISOString()} title=${fullTime(entry.time)}>${timeOfDay(entry.time)}</time>
                <span class="what">${entry.subject ? html`<strong>${entry.subject}</strong> ` : nothing}${unbroken(localTimes(entry.text, entry.time))}</span>
              </li>`)}
          </ol>`}
      ${pager(model.log.length, list, "changes", changed)}
    </section>
  `;
}
