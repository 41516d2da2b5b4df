// Every page: the search. Guides: the address they are served from, the language that was chosen, buttons to copy.
const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

showAddresses();
rememberLanguage();
offerCopies();
offerSearch();

/**
 * The files say where `npm start` serves by default; a page says where it is served from, unless it is about a service
 * that its reader starts.
 */
async function showAddresses() {
  const about = document.querySelector("main")?.dataset.service;
  if (about === "other" || (about === "local" && !local)) return;
  replaceInPage("http://localhost:8787", location.origin);
  if (!local) return;
  const { inbox } = await (await fetch("/docs/assets/local.json")).json();
  if (!inbox) return;
  replaceInPage("http://localhost:8026", inbox);
  document.querySelector(".local")?.removeAttribute("hidden");
}

function replaceInPage(text, by) {
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) nodes.currentNode.data = nodes.currentNode.data.replaceAll(text, by);
  for (const link of document.querySelectorAll(`a[href="${text}"]`)) link.href = by;
}

function rememberLanguage() {
  const choices = [...document.querySelectorAll(".tabs input")];
  const choose = (language) => choices.filter(({ value }) => value === language).forEach((input) => (input.checked = true));
  choose(stored());
  for (const input of choices) {
    input.addEventListener("change", () => {
      // The group that was used stays where it is, however long the others become.
      const before = input.getBoundingClientRect().top;
      choose(input.value);
      scrollBy({ top: input.getBoundingClientRect().top - before, behavior: "instant" });
      store(input.value);
    });
  }
}

// A browser that blocks storage throws; then nothing is remembered.
function stored() {
  try {
    return localStorage.getItem("language");
  } catch {
    return null;
  }
}

function store(language) {
  try {
    localStorage.setItem("language", language);
  } catch {
    // Not remembered.
  }
}

function offerCopies() {
  if (!navigator.clipboard) return;
  for (const block of document.querySelectorAll(".code:not([data-lang=text])")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    block.append(button);
  }
}

function offerSearch() {
  const dialog = document.querySelector("dialog.search");
  const opener = document.querySelector("button.search");
  const [input, status, list] = ["input", "[role=status]", "ul"].map((name) => dialog.querySelector(name));
  let loading;

  const open = () => {
    loading ??= import("/docs/assets/search.js");
    if (!dialog.open) dialog.showModal();
    input.select();
    show();
  };
  const show = async () => {
    const words = input.value.trim();
    const found = words ? (await loading).search(words) : [];
    if (words !== input.value.trim()) return;
    list.replaceChildren(...found.map(entry));
    status.textContent = !words ? "" : found.length === 1 ? "1 result" : `${found.length || "No"} results`;
  };
  const press = (event) => {
    // A search field would only empty itself.
    if (event.key === "Escape") return dialog.close();
    const stops = [input, ...list.querySelectorAll("a")];
    const next = stops[stops.indexOf(document.activeElement) + { ArrowDown: 1, ArrowUp: -1 }[event.key]];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };

  opener.hidden = false;
  opener.addEventListener("click", open);
  addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    const wanted = (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) || (event.key === "k" && (event.ctrlKey || event.metaKey));
    if (!wanted || (dialog.open && typing)) return;
    event.preventDefault();
    open();
  });
  input.addEventListener("input", show);
  dialog.addEventListener("keydown", press);
  dialog.addEventListener("click", (event) => {
    // A press on the backdrop, or on a result: on the same page only the section changes.
    if (event.target === dialog || event.target.closest("a, form button")) dialog.close();
  });
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    list.querySelector("a")?.click();
  });
}

function entry({ url, title, page, excerpt }) {
  const item = document.createElement("li");
  const link = item.appendChild(document.createElement("a"));
  link.href = url;
  for (const [name, text] of [["strong", title], ["small", page === title ? "Guide" : page], ["span", excerpt]]) {
    link.appendChild(document.createElement(name)).textContent = text;
  }
  return item;
}
