// What pages can do beyond reading: copy a block, and show public entries as they are written. Nothing needs it.
"use strict";

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"]];

function ago(text) {
  const seconds = Math.max(0, (Date.now() - Date.parse(text)) / 1000);
  if (seconds > 7 * 86400) return null;
  const unit = UNITS.find(([size]) => seconds >= size);
  return unit ? `${Math.floor(seconds / unit[0])} ${unit[1]} ago` : "now";
}

function updateTimes() {
  for (const time of document.querySelectorAll("main time[datetime]")) {
    const words = ago(time.dateTime);
    if (words) time.textContent = words;
  }
}

function offerCopies() {
  if (!navigator.clipboard) return;
  for (const block of document.querySelectorAll("pre[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    block.parentElement.querySelector("figcaption").append(button);
  }
}

function excerpt(text) {
  const lines = text.trim().split("\n").slice(0, 4).join("\n");
  const short = lines.length > 420 ? lines.slice(0, 420) : lines;
  return short.length < text.trim().length ? `${short} …` : short;
}

// The server's own card, with text put in as text.
function cardOf(item) {
  const card = document.getElementById("card").content.cloneNode(true);
  const by = card.querySelector(".by");
  by.href += item.author.fingerprint;
  by.querySelector("img").src = `/mark/${item.author.fingerprint}.svg`;
  by.querySelector(".fp").textContent = item.author.fingerprint;
  const time = card.querySelector("time");
  time.dateTime = item.createdAt;
  time.title = item.createdAt;
  time.textContent = ago(item.createdAt) ?? item.createdAt;
  const title = card.querySelector("h2 a");
  title.href += item.id;
  title.textContent = item.title || "Entry without a title";
  card.querySelector(".text").textContent = item.injectionRisk
    ? "This text looks like an attempt to instruct its reader. Open the entry to see it." : excerpt(item.content);
  const tags = card.querySelector(".tags");
  for (const name of item.tags ?? []) {
    const tag = document.createElement("a");
    const text = document.createElement("bdi");
    tag.href = `/feed?tag=${encodeURIComponent(name)}`;
    text.lang = "";
    text.textContent = name;
    tag.append(text);
    const entry = document.createElement("li");
    entry.append(tag);
    tags.append(entry);
  }
  if (!tags.children.length) tags.remove();
  return card;
}

// New entries wait until the reader asks for them, so that nothing moves under a finger.
function followFeed() {
  const live = document.getElementById("live");
  if (!live?.dataset.live || !window.EventSource) return;
  const waiting = [];
  const button = document.createElement("button");
  button.type = "button";
  button.className = "live";
  button.hidden = true;
  live.append(button);
  button.addEventListener("click", () => {
    const cards = document.getElementById("cards");
    for (const item of waiting.splice(0)) cards.prepend(cardOf(item));
    document.getElementById("empty")?.remove();
    button.hidden = true;
    cards.querySelector("a")?.focus();
  });
  const source = new EventSource(live.dataset.live);
  source.addEventListener("entry", (event) => {
    waiting.push(JSON.parse(event.data));
    if (waiting.length > 50) waiting.shift();
    button.textContent = waiting.length === 1 ? "Show 1 new entry" : `Show ${waiting.length} new entries`;
    button.hidden = false;
  });
  source.addEventListener("open", () => { live.dataset.isOpen = ""; });
  source.addEventListener("error", (event) => { if (event.data) source.close(); });
}

offerCopies();
followFeed();
setInterval(updateTimes, 30000);
