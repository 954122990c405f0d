// Times and numbers as people read them.

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
];

// duration writes milliseconds with the two largest units, such as "3 h 20 m".
export function duration(ms) {
  const rounded = Math.max(0, Math.floor(ms / 1000)) * 1000;
  let i = units.findIndex(([, size]) => rounded >= size);
  if (i < 0) return "0 s";
  const [unit, size] = units[i];
  const whole = Math.floor(rounded / size);
  const next = units[i + 1];
  const rest = next ? Math.floor((rounded % size) / next[1]) : 0;
  if (unit === "d" && whole >= 400) return `${Math.floor(whole / 365)} years`;
  return rest ? `${whole} ${unit} ${rest} ${next[0]}` : `${whole} ${unit}`;
}

export function roundTrip(seconds) {
  if (!seconds) return "";
  const ms = seconds * 1000;
  if (ms >= 1000) return `${seconds.toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toPrecision(2)} ms`;
}

const numbers = new Intl.NumberFormat("en");

export const count = (n) => numbers.format(n);

// counted writes a number with its noun.
export const counted = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const date = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

export const timeOfDay = (ms) => clock.format(ms);

export const fullTime = (ms) => date.format(ms);

const isoTime = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const dayAndTime = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

// localTimes writes the times in a text as people read them here.
export const localTimes = (text, now) =>
  text.replace(isoTime, (iso) => {
    const time = Date.parse(iso);
    if (Number.isNaN(time)) return iso; // such as a 99th of a month
    return Math.abs(time - now) < 43_200_000 ? `at ${timeOfDay(time)}` : `on ${dayAndTime.format(time)}`;
  });
