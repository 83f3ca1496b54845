// Reads /metrics once a second, and shows what has moved since the last time.
"use strict";

const NAMES = { 0: "execution", 1: "operations", 2: "hardware", 3: "storage", 4: "network" };
const PERIOD_MS = 1000;
let before = null;

// The samples by name, with their labels.
function parse(text) {
  const samples = new Map();
  for (const line of text.split("\n")) {
    if (line !== "" && !line.startsWith("#")) {
      const space = line.lastIndexOf(" ");
      samples.set(line.slice(0, space), Number(line.slice(space + 1)));
    }
  }
  return samples;
}

function cells(row, values) {
  values.forEach((value, index) => {
    const cell = row.insertCell();
    cell.textContent = value;
    cell.className = index === 0 ? "" : "number";
  });
}

function show(now) {
  const seconds = before ? now.get("kwe_uptime_seconds") - before.get("kwe_uptime_seconds") : 0;
  const rate = (name) => (seconds > 0 ? ((now.get(name) - before.get(name)) / seconds).toFixed(0) : "");
  const table = document.getElementById("decks");
  table.replaceChildren();
  for (const name of now.keys()) {
    const match = /^kwe_deck_up\{deck="(\d+)"\}$/.exec(name);
    if (match) {
      const of = (what) => `kwe_deck_${what}{deck="${match[1]}"}`;
      cells(table.insertRow(), [
        NAMES[match[1]] || match[1],
        rate(of("visits_total")),
        rate(of("stages_total")),
        now.get(of("stages_total")),
        now.get(of("waiting")),
        now.get(of("restarts_total")),
      ]);
    }
  }
  const requests = now.get("kwe_http_request_seconds_count");
  const mean = (now.get("kwe_http_request_seconds_sum") / Math.max(requests, 1)) * 1000;
  document.getElementById("said").textContent =
    `up ${now.get("kwe_uptime_seconds").toFixed(0)} s, ${requests} requests answered, ` +
    `${mean.toFixed(2)} ms each`;
  before = now;
}

async function step() {
  try {
    const response = await fetch("metrics");
    show(parse(await response.text()));
  } catch (error) {
    document.getElementById("said").textContent = `no answer: ${error.message}`;
  }
  setTimeout(step, PERIOD_MS);
}

step();
