// Keeps the first page current by server-sent events. Without it the page works and is reloaded by hand.
"use strict";
(() => {
  const stale = document.getElementById("stale");
  const waiting = new Map(); // parts that changed while somebody works in them
  let source = null;
  let last = new Date();

  const isBusy = (place) => {
    const focused = document.activeElement;
    return place.contains(focused) && focused.matches("button, input, summary, a, .scroll");
  };

  const put = (name, html) => {
    const place = document.getElementById(name);
    if (!place) return;
    if (isBusy(place)) {
      waiting.set(name, html);
      return;
    }
    const open = [...place.querySelectorAll("details[open]")].map((each) => key(each));
    place.innerHTML = html;
    for (const each of place.querySelectorAll("details")) each.open = open.includes(key(each));
    if (name === "headline") document.title = `${place.querySelector("h1").firstChild.textContent} · twinsyncd`;
  };

  const key = (details) => {
    const need = details.closest("li");
    return details.id || (need ? need.querySelector("h3").textContent : "");
  };

  const receive = (event) => {
    last = new Date();
    stale.hidden = true;
    for (const [name, html] of Object.entries(JSON.parse(event.data))) {
      waiting.delete(name);
      put(name, html);
    }
  };

  const begin = () => {
    if (source || document.hidden) return;
    source = new EventSource(`/live${location.search}`);
    source.addEventListener("parts", receive);
    source.addEventListener("open", () => { stale.hidden = true; });
    source.addEventListener("error", () => {
      document.getElementById("stale-at").textContent = last.toLocaleTimeString();
      stale.hidden = false;
      if (source.readyState === EventSource.CLOSED) { source = null; setTimeout(begin, 10000); }
    });
  };

  const end = () => {
    if (source) source.close();
    source = null;
  };

  document.addEventListener("focusout", () => setTimeout(() => {
    for (const [name, html] of [...waiting]) { waiting.delete(name); put(name, html); }
  }, 0));
  document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
  window.addEventListener("pagehide", end);
  begin();
})();
