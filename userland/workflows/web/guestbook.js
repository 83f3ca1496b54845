// Shows the guest book's entries, the newest first: each a line of JSON in guestbook.jsonl, which is there once somebody has signed.
"use strict";

function show(entry) {
  const quote = document.createElement("blockquote");
  const name = document.createElement("strong");
  name.textContent = entry.name;
  quote.append(entry.text, document.createElement("br"), name);
  document.getElementById("entries").append(quote);
}

async function load() {
  const response = await fetch("guestbook.jsonl");
  if (response.ok) {
    const lines = (await response.text()).split("\n").filter((line) => line !== "");
    lines.reverse().forEach((line) => show(JSON.parse(line)));
  }
}

load();
