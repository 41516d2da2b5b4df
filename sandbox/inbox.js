// The inbox page: asks for the messages every second and shows what is new. What a message says
// only ever becomes text (textContent) or the document of a frame that may run no script.

import { findCode } from "./code.mjs";
import { segmentsOf } from "./segments.mjs";

const POLL_MS = 1000;
const LABELS = { sms: "SMS", email: "E-mail" };

const byId = (id) => document.getElementById(id);
const list = byId("messages");
const filter = byId("filter");
const connection = byId("connection");

const cards = new Map(); // message id -> {message, element}
let lastAnswer;

async function poll() {
  if (!document.hidden) await refresh();
  setTimeout(poll, POLL_MS);
}

async function refresh() {
  try {
    const response = await fetch("/messages");
    if (!response.ok) throw new Error(`status ${response.status}`);
    const answer = await response.text();
    connection.className = "connection live";
    setText(connection, "Live");
    if (answer !== lastAnswer) show(JSON.parse(answer));
    lastAnswer = answer;
  } catch {
    connection.className = "connection lost";
    setText(connection, "Sandbox not reachable");
  }
  tellTimes();
}

// Cards that stay are left alone, so that an open frame, a selection and the focus survive.
function show(messages) {
  const ids = new Set(messages.map((message) => message.id));
  for (const [id, { element }] of cards) {
    if (!ids.has(id)) {
      element.remove();
      cards.delete(id);
    }
  }
  const isFirst = lastAnswer === undefined;
  const added = messages.filter((message) => !cards.has(message.id));
  for (const message of added) {
    const element = cardFor(message);
    element.classList.toggle("new", !isFirst);
    cards.set(message.id, { message, element });
    list.prepend(element);
  }
  if (!isFirst && added.length > 0) announce(added);
  applyFilter();
}

function cardFor(message) {
  const element = byId("message").content.cloneNode(true).firstElementChild;
  const part = (name) => element.querySelector(name);
  const code = findCode(message);

  part(".badge").textContent = LABELS[message.channel];
  part(".badge").classList.add(message.channel);
  part(".to").textContent = message.to;
  part("time").dateTime = message.received_at;
  part("time").title = new Date(message.received_at).toLocaleString();
  part(".subject").textContent = message.subject ?? "";
  part(".subject").hidden = !message.subject;
  part(".code").hidden = !code;
  part("output").textContent = code ?? "";
  part(".copy").addEventListener("click", (event) => copy(code, event.currentTarget, part("output")));
  part(".text").textContent = message.text ?? "This message has no text part.";
  part(".text").classList.toggle("missing", message.text === null);
  part(".from").textContent = `From ${message.from}${message.channel === "sms" ? ` · ${cost(message.text)}` : ""}`;
  part(".html-toggle").hidden = !message.html;
  part(".html-toggle").addEventListener("click", (event) => toggleHtml(event.currentTarget, element, message));
  return element;
}

function cost(text) {
  const { encoding, segments } = segmentsOf(text);
  return `${segments} segment${segments === 1 ? "" : "s"}, ${encoding}`;
}

async function copy(code, button, output) {
  try {
    await navigator.clipboard.writeText(code);
    button.textContent = "Copied";
    byId("announcement").textContent = "Code copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  } catch {
    getSelection().selectAllChildren(output); // no clipboard here: ready for the keyboard
  }
}

function toggleHtml(button, element, message) {
  const open = element.querySelector("iframe");
  if (open) open.remove();
  else element.append(frameFor(message));
  button.textContent = open ? "Show HTML" : "Hide HTML";
  button.setAttribute("aria-expanded", String(!open));
}

function frameFor(message) {
  const frame = document.createElement("iframe");
  frame.title = "HTML part of the e-mail";
  frame.setAttribute("sandbox", ""); // no script, no forms, no navigation, an origin of its own
  frame.srcdoc = message.html;
  return frame;
}

function applyFilter() {
  const wanted = new FormData(filter);
  const to = wanted.get("to").trim().toLowerCase();
  const channel = wanted.get("channel");
  let shown = 0;
  for (const { message, element } of cards.values()) {
    element.hidden = !((channel === "" || message.channel === channel) && message.to.toLowerCase().includes(to));
    if (!element.hidden) shown += 1;
  }
  byId("empty").hidden = cards.size > 0;
  byId("no-match").hidden = cards.size === 0 || shown > 0;
  byId("clear").disabled = cards.size === 0;
  document.title = cards.size > 0 ? `(${cards.size}) Sandbox inbox` : "Sandbox inbox";
}

function announce(added) {
  const { channel, to } = added.at(-1);
  byId("announcement").textContent = added.length === 1 ? `New ${LABELS[channel]} to ${to}` : `${added.length} new messages`;
}

function tellTimes() {
  for (const time of list.querySelectorAll("time")) setText(time, ago(Date.now() - Date.parse(time.dateTime)));
}

function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86_400)} d ago`;
}

// Writing the same text again would make a screen reader say it again.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

filter.addEventListener("input", applyFilter);
filter.addEventListener("submit", (event) => event.preventDefault());
byId("show-all").addEventListener("click", () => {
  filter.reset();
  applyFilter();
});
byId("clear").addEventListener("click", async () => {
  await fetch("/messages", { method: "DELETE" }).catch(() => {}); // the next refresh tells
  await refresh();
});
document.addEventListener("visibilitychange", () => document.hidden || refresh());

poll();
