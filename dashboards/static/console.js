/* Keeps a page current: what changed on the server is put in place, block by block. Without it the page is as it was
   when it came; nothing needs it. */
"use strict";

(() => {
  const address = document.body.dataset.live;
  if (!address || !window.EventSource) return;

  /* Whoever is typing or about to press a button inside a block must not lose it. */
  const busy = (block) => block.contains(document.activeElement) && document.activeElement !== document.body;

  /* Only the children that changed are replaced: a link that has the focus keeps it. */
  const patch = (block, html) => {
    const fresh = block.cloneNode(false);
    fresh.innerHTML = html;
    if (fresh.children.length !== block.children.length) {
      if (!busy(block)) block.innerHTML = html;
      return;
    }
    [...fresh.children].forEach((child, index) => {
      const there = block.children[index];
      if (there.outerHTML !== child.outerHTML && !busy(there)) {
        if (there.open && child.tagName === "DETAILS") child.open = true;
        there.replaceWith(child);
      }
    });
  };

  let stream = null;
  const stale = (is) => document.body.classList.toggle("stale", is);
  const listen = () => {
    stream = new EventSource(address);
    stream.onopen = () => stale(false);
    stream.onerror = () => stale(true);
    stream.onmessage = (message) => {
      for (const [name, html] of Object.entries(JSON.parse(message.data))) {
        const block = document.getElementById(name);
        if (block) patch(block, html);
      }
    };
  };

  /* A page in the background costs the proxy nothing. */
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && stream) { stream.close(); stream = null; }
    else if (!document.hidden && !stream) listen();
  });
  if (!document.hidden) listen();
})();
