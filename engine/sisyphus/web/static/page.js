// Fetches the page again and again and changes only what differs, so that scrolling, selections and the filter stay.
"use strict";

function morph(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  let at = old.firstChild;
  for (const node of [...fresh.childNodes]) {
    const same = counterpart(at, node);
    if (same === null) {
      old.insertBefore(document.adoptNode(node), at);
      continue;
    }
    at = removeUntil(at, same);
    morph(same, node);
    at = same.nextSibling;
  }
  removeUntil(at, null);
}

// Elements with an id are found again where others came or went; others only at their place.
function counterpart(at, node) {
  while (node.id && at && at.id !== node.id) at = at.nextSibling;
  return at && at.nodeName === node.nodeName && (at.id || "") === (node.id || "") ? at : null;
}

function removeUntil(at, end) {
  while (at !== end) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
  return at;
}

const tails = () => [...document.querySelectorAll("pre.tail")];
const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 8;
const toEnd = (box) => { box.scrollTop = box.scrollHeight; };

function show(fresh) {
  const follow = tails().every(atEnd);
  morph(document.querySelector("main"), fresh.querySelector("main"));
  document.title = fresh.title;
  document.body.dataset.refresh = fresh.body.dataset.refresh;
  document.getElementById("clock").textContent = fresh.getElementById("clock").textContent;
  if (follow) tails().forEach(toEnd);
}

async function refresh() {
  const address = location.href;
  let fresh = null, busy = false;
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(30000) });
    busy = answer.status === 503; // it makes another page
    fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch { /* no manager there; it is said below */ }
  if (address !== location.href) return; // the filter has been changed meanwhile
  const ours = fresh !== null && fresh.getElementById("clock") !== null; // also an error, but not that of a proxy
  if (ours) show(fresh);
  else document.getElementById("since").textContent = document.getElementById("clock").textContent;
  document.getElementById("lost").hidden = ours || busy;
}

async function keepFresh() {
  if (!document.hidden) await refresh();
  setTimeout(keepFresh, 1000 * document.body.dataset.refresh);
}

let typing;
document.addEventListener("input", (event) => {
  if (event.target.name !== "q") return;
  clearTimeout(typing);
  typing = setTimeout(() => {
    const address = new URL(location.href);
    address.searchParams.delete("page");
    if (event.target.value) address.searchParams.set("q", event.target.value);
    else address.searchParams.delete("q");
    history.replaceState(null, "", address);
    refresh();
  }, 200);
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

tails().forEach(toEnd);
const here = document.querySelector(".box.here rect");
if (here) {
  const { x, y } = here.getBBox(), area = document.querySelector(".chain");
  area.scrollTo(x - area.clientWidth / 2 + 100, y - area.clientHeight / 2);
}
setTimeout(keepFresh, 1000 * document.body.dataset.refresh);
