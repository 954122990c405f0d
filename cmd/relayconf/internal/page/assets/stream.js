// The connection to the hub.

const silence = 30_000; // ms: the hub says something every 10 s
const longestPause = 10_000; // ms between two attempts

// follow connects to the hub for as long as the page is open. It calls handlers.event with each event's name and data, and
// handlers.lost when the connection breaks.
export function follow(url, handlers) {
  let source;
  let watchdog;
  let failures = 0;

  const connect = () => {
    source = new EventSource(url);
    source.onerror = fail; // the browser's own attempts would end at the first answer that is not 200
    for (const name of ["begin", "update", "ready"]) {
      source.addEventListener(name, (event) => {
        guard();
        if (name === "ready") failures = 0;
        handlers.event(name, JSON.parse(event.data));
      });
    }
    guard();
  };

  const fail = () => {
    source.close();
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
