// A section with a list that is searched, filtered and paged: only one page of it is in the document.

import { html, nothing } from "./lit/lit-html.js";
import { count } from "./format.js";

// newList returns the state of a list on the page.
export const newList = (pageSize) => ({ query: "", group: "", page: 0, pageSize, open: new Set() });

// section draws a list. groups are [name, label] pairs to filter by; rows draws the entries of the present page. problem and notice
// are shown above them.
export function section({ id, title, noun, collection, list, groups, problem, notice, rows, empty, changed }) {
  const found = collection.find(list.query, list.group);
  const counts = collection.counts();
  const show = (change) => {
    Object.assign(list, { page: 0 }, change);
    changed();
  };
  return html`
    <section id=${id} class="panel" aria-labelledby="${id}-title" tabindex="-1">
      <div class="panel-head">
        <h2 id="${id}-title">${title} <span class="number">${count(collection.size)}</span></h2>
        <div class="groups" role="group" aria-label="Show">
          ${groups.map(
            ([name, label]) => html`<button type="button" class="chip" aria-pressed=${list.group === name}
              @click=${() => show({ group: name })}>${label}${name ? html` <b>${count(counts[name] ?? 0)}</b>` : nothing}</button>`,
          )}
        </div>
        <input type="search" .value=${list.query} placeholder="Search ${noun}" aria-label="Search ${noun}" autocomplete="off"
          spellcheck="false" @input=${(event) => show({ query: event.target.value })}>
      </div>
      ${problem ? html`<p class="problem">${problem}</p>` : nothing}
      ${notice ? html`<p class="problem minor">${notice}</p>` : nothing}
      ${found.length > 0 ? rows(onPage(found, list)) : html`<div class="empty">${collection.size > 0 ? html`<p>Nothing matches.</p>
        <button type="button" @click=${() => show({ query: "", group: "" })}>Show all</button>` : empty}</div>`}
      ${pager(found.length, list, noun, changed)}
    </section>
  `;
}

// onPage returns the entries of the present page, or of the last one if there are fewer by now.
export function onPage(found, list) {
  list.page = Math.max(0, Math.min(list.page, Math.ceil(found.length / list.pageSize) - 1));
  const first = list.page * list.pageSize;
  return found.slice(first, first + list.pageSize);
}

// pager draws the buttons that turn pages. They stay focusable at both ends, so that the focus is not lost.
export function pager(total, list, noun, changed) {
  if (total <= list.pageSize) return nothing;
  const last = Math.ceil(total / list.pageSize) - 1;
  const first = list.page * list.pageSize;
  const after = (step) => Math.max(0, Math.min(last, list.page + step));
  const button = (label, text, step) => html`<button type="button" aria-label="${label} of ${noun}" aria-disabled=${after(step) === list.page}
    @click=${() => {
      list.page = after(step);
      changed();
    }}>${text}</button>`;
  return html`
    <nav class="pager" aria-label="Pages of ${noun}">
      ${button("First page", "«", -Infinity)} ${button("Previous page", "‹", -1)}
      <span>${count(first + 1)}–${count(Math.min(total, first + list.pageSize))} of ${count(total)}</span>
      ${button("Next page", "›", 1)} ${button("Last page", "»", Infinity)}
    </nav>
  `;
}

// fresh is the class of an entry that has just changed.
export const fresh = (entry) => (entry.changed && performance.now() - entry.changed < 2500 ? "fresh" : "");
