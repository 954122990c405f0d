// Draws the page, and draws it again when something has changed.

import { html, nothing, render } from "./lit/lit-html.js";
import { environments } from "./environments.js";
import { fleet } from "./fleet.js";
import { timeOfDay } from "./format.js";
import { newList } from "./list.js";
import { log } from "./log.js";
import { Model } from "./model.js";
import { overview } from "./overview.js";
import { follow } from "./stream.js";

const root = document.getElementById("app");
const lists = { fleet: newList(10), environments: newList(15), log: newList(20) };

let model = null; // shown
let coming = null; // what the hub has told since it was connected to, until it is complete
let lostAt = 0; // when the connection broke; 0 while there is one
let tried = false; // a first attempt has failed
let planned = false;

const sections = 3; // the fleet, the environments, the log
let shown = 0; // at first one section more is drawn in each frame, so that no frame takes long

follow("page/events", {
  event(name, data) {
    if (name === "begin") {
      coming = new Model(data);
      return;
    }
    const target = coming ?? model;
    target.apply(data);
    if (name === "ready") {
      target.complete = true;
      model = coming;
      coming = null;
      lostAt = 0;
    }
  },
  idle: draw,
  lost() {
    coming = null;
    tried = true;
    lostAt ||= Date.now();
    draw();
  },
});

setInterval(draw, 1000); // countdowns
document.addEventListener("visibilitychange", draw);
draw();

// draw draws the page in the next frame.
function draw() {
  if (planned || document.hidden) return;
  planned = true;
  requestAnimationFrame(() => {
    planned = false;
    if (model && shown < sections) {
      shown++;
      draw();
    }
    render(page(), root);
  });
}

// loadedBuild is the build of these files; a hub of another build has other ones.
let loadedBuild;

function page() {
  loadedBuild ??= model?.beginning.build;
  document.title = title();
  const live = model && shown === sections;
  return html`
    <nav class="skip" aria-label="Skip">
      <a href="#fleet">To the fleet</a><a href="#environments">To the environments</a><a href="#log">To the changes</a>
    </nav>
    <header>
      <h1><img src="page/icon.svg" alt="" width="28" height="28">relayconf</h1>
      <p class="minor">${model ? `${model.beginning.name} · ${model.beginning.version}` : nothing}</p>
      <p id="connection" role="status" class=${lostAt ? "lost" : live ? "live" : ""}>${lostAt ? "Not connected" : live ? "Live" : "Connecting"}</p>
      ${themeButton()}
    </header>
    ${notices()}
    ${model ? html`<main class=${lostAt ? "dated" : ""}>${overview(model)}
      <div class="columns">
        <div class="lists">${fleet(model, lists.fleet, draw)}${shown > 1 ? environments(model, lists.environments, draw) : nothing}</div>
        ${shown > 2 ? log(model, lists.log, draw) : nothing}
      </div></main>` : nothing}
  `;
}

function title() {
  const behind = model?.relays.counts().behind;
  const mark = lostAt ? "⚠ " : behind ? `(${behind} behind) ` : "";
  return `${mark}${model ? model.beginning.name + " · " : ""}relayconf`;
}

function notices() {
  if (lostAt) {
    return html`<p class="notice" role="alert">${model
      ? `The hub can't be reached since ${timeOfDay(lostAt)}. This is its state from before. The page goes on trying.`
      : "The hub can't be reached. The page goes on trying."}</p>`;
  }
  if (!model) return tried ? nothing : html`<p class="notice quiet">Waiting for the hub …</p>`;
  if (model.beginning.build !== loadedBuild) {
    return html`<p class="notice">The hub has a newer version of this page. <button type="button" @click=${() => location.reload()}>Load it</button></p>`;
  }
  return nothing;
}

const themes = { "": "dark", dark: "light", light: "" };
const themeNames = { "": "system", dark: "dark", light: "light" };

function themeButton() {
  const present = () => document.documentElement.dataset.theme ?? "";
  const change = () => {
    const next = themes[present()];
    if (next) document.documentElement.dataset.theme = next;
    else delete document.documentElement.dataset.theme;
    try {
      localStorage.setItem("relayconf-theme", next);
    } catch {
      // Storage may be switched off: then the choice holds until the page is loaded again.
    }
    draw();
  };
  return html`<button type="button" id="theme" @click=${change}>Theme: ${themeNames[present()]}</button>`;
}
