/* Keeps a page current: what changed on the server is put in place, block by block. Without it the page is as it was
   when it came; nothing needs it. */
"use strict";

(() => {
  const SILENCE = 15000; /* the server says every two seconds what it knows: longer silence is a lost connection */
  const BREATH = 2500;

  /* ── times: the server says UTC, the reader's own clock stands beside it ─────────────────────────────── */
  const two = (number) => String(number).padStart(2, "0");
  const local = (at, withDay) => {
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} `;
    return `${withDay ? day : ""}${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  };
  const localise = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime()) || at.getTimezoneOffset() === 0 || time.querySelector(".local")) continue;
      const beside = document.createElement("span");
      beside.className = "local";
      beside.textContent = ` (${local(at, at.getDate() !== at.getUTCDate())} here)`;
      time.append(beside);
    }
  };
  const localiseCharts = (root) => {
    for (const each of root.querySelectorAll("[data-at]")) {
      const at = new Date(each.dataset.at * 1000), title = each.querySelector("title");
      if (title && at.getTimezoneOffset() !== 0) {
        title.textContent = title.textContent.replace(" UTC", ` UTC (${local(at, at.getDate() !== at.getUTCDate())} here)`);
      }
    }
  };
  const inLocalTime = (root) => { localise(root); localiseCharts(root); };
  inLocalTime(document);

  const address = document.body.dataset.live;
  if (!address || !window.EventSource) return;

  /* A field that is being typed into, a button about to be pressed must not vanish: the block waits until the focus leaves. */
  const busy = (block) => block.contains(document.activeElement) && document.activeElement !== document.body;
  const waiting = new Map();

  /* Values under the pointer can be read: that chart waits while the pointer moves over it. */
  let moved = 0;
  document.addEventListener("pointermove", () => { moved = Date.now(); });
  const isRead = (there) => there.matches("figure.chart:hover") && Date.now() - moved < 10000;

  const keepOpen = (there, fresh) => {
    const before = [there, ...there.querySelectorAll("details")], after = [fresh, ...fresh.querySelectorAll("details")];
    if (before.length === after.length) before.forEach((each, index) => { if (each.open) after[index].open = true; });
  };

  /* Only the children that changed are replaced: a link that has the focus keeps it. */
  const patch = (block, html) => {
    waiting.delete(block.id);
    const fresh = block.cloneNode(false);
    fresh.innerHTML = html;
    inLocalTime(fresh);
    const isText = (node) => node.nodeType === Node.TEXT_NODE;
    const alike = fresh.childNodes.length === block.childNodes.length &&
      [...fresh.childNodes].every((node, index) => {
        const there = block.childNodes[index];
        return isText(node) ? isText(there) && node.data === there.data : !isText(there);
      });
    if (!alike) {
      if (busy(block)) waiting.set(block.id, html);
      else { keepOpen(block, fresh); block.replaceChildren(...fresh.childNodes); }
      return;
    }
    [...fresh.children].forEach((child, index) => {
      const there = block.children[index];
      keepOpen(there, child);
      if (there.outerHTML === child.outerHTML) return;
      if (busy(there) || isRead(there)) waiting.set(block.id, html);
      else there.replaceWith(child);
    });
  };

  /* Rows come, go, change their order. */
  let order = null;
  const arrange = () => {
    const body = document.getElementById("rows");
    if (!body || !order || busy(body)) return;
    const there = new Map([...body.children].map((row) => [row.id, row]));
    const wanted = order.map((name) => there.get(name) || Object.assign(document.createElement("tr"), { id: name }));
    if (wanted.length !== body.children.length || wanted.some((row, index) => row !== body.children[index])) {
      body.replaceChildren(...wanted);
    }
    const none = document.getElementById("none");
    if (none) none.hidden = wanted.length > 0;
    order = null;
  };

  /* The buttons are those that do something now; a form with the focus stays, its button does not. */
  const offer = () => {
    const offers = document.getElementById("offers");
    if (!offers) return;
    const now = offers.textContent.split(" ");
    for (const form of document.querySelectorAll("form[data-verb]")) {
      const can = now.includes(form.dataset.verb);
      form.hidden = !can && !busy(form);
      for (const button of form.querySelectorAll("button")) button.disabled = !can;
    }
  };

  document.addEventListener("focusout", () => setTimeout(() => {
    arrange();
    for (const [name, html] of [...waiting]) {
      const block = document.getElementById(name);
      if (block) patch(block, html); else waiting.delete(name);
    }
    offer();
  }));

  let stream = null, shows = "", silence = 0;
  const lost = (is) => {
    const band = document.getElementById("lost");
    document.body.classList.toggle("stale", is);
    if (!band || band.hidden === !is) return;
    const known = document.querySelector("#state time");
    document.getElementById("known").textContent = known ? ` as of ${known.textContent}` : "";
    band.hidden = !is;
  };
  const heard = () => {
    lost(false);
    clearTimeout(silence);
    silence = setTimeout(() => lost(true), SILENCE);
  };
  const take = (message) => {
    const { rows, ...blocks } = JSON.parse(message.data);
    shows = message.lastEventId;
    if (rows) { order = rows; arrange(); }
    for (const [name, html] of Object.entries(blocks)) {
      const block = document.getElementById(name);
      if (block) patch(block, html);
    }
    offer();
    heard();
  };
  const listen = () => {
    const page = new URL(address, location.href);
    if (shows) page.searchParams.set("shows", shows);
    stream = new EventSource(page);
    stream.onmessage = take;
    stream.onerror = () => {
      /* the server ends a stream now and then, the browser comes back within a second: that is no loss */
      clearTimeout(silence);
      silence = setTimeout(() => lost(true), BREATH);
      /* a refusal is final for the browser, not for us: the proxy may start again, a login may be needed */
      if (stream.readyState === EventSource.CLOSED) { stream.close(); again = setTimeout(listen, 5000); }
    };
  };
  let again = 0;
  const stop = () => {
    clearTimeout(silence);
    clearTimeout(again);
    if (stream) stream.close();
    stream = null;
  };

  /* A page in the background costs the proxy nothing. What it shows when it comes back is marked until it is true. */
  const follow = () => {
    stop();
    if (document.hidden) return;
    silence = setTimeout(() => lost(true), SILENCE);
    listen();
  };
  document.addEventListener("visibilitychange", follow);
  window.addEventListener("pageshow", (event) => { if (event.persisted) follow(); });
  window.addEventListener("pagehide", stop);
  follow();
})();
