// The connection to the hub.

const silence = 30_000; // ms: the hub says something every 10 s
const longestPause = 10_000; // ms between two attempts

// follow connects to the hub for as long as the page is open. It calls handlers.event with each event's name and data,
// handlers.idle when no more of them wait, and handlers.lost when the connection breaks.
export function follow(url, handlers) {
  let source = null;
  let watchdog;
  let failures = 0;

  // Events come in bursts. Each is handled in a task of its own, so that the browser reacts in between.
  const waiting = [];
  const turns = new MessageChannel();
  turns.port1.onmessage = () => {
    const { from, name, text } = waiting.shift();
    if (from === source) handlers.event(name, JSON.parse(text));
    if (waiting.length === 0) handlers.idle();
  };

  const connect = () => {
    const from = new EventSource(url);
    source = from;
    source.onerror = fail; // the browser's own attempts would end at the first answer that is not 200
    for (const name of ["begin", "update", "ready"]) {
      source.addEventListener(name, (event) => {
        guard();
        if (name === "ready") failures = 0;
        waiting.push({ from, name, text: event.data });
        turns.port2.postMessage(null);
      });
    }
    guard();
  };

  const fail = () => {
    source.close();
    source = null;
    clearTimeout(watchdog);
    handlers.lost();
    const pause = Math.min(longestPause, 500 * 2 ** failures++);
    setTimeout(connect, pause * (0.5 + Math.random() / 2));
  };

  const guard = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(fail, silence);
  };

  connect();
}
