"use strict";
const REFRESH_MS = 5000, AWAY = "No answer; trying again.", KEY = "relearn-key", BY = "relearn-by";
const at = (id) => document.getElementById(id);
const content = at("content"), ask = at("ask");
let key = sessionStorage.getItem(KEY) || "", shown = "", shownFrom = "", asked = 0, act = null;

const call = (path, options) =>
  fetch(path, { cache: "no-store", ...options, headers: { "x-functions-key": key, ...(options || {}).headers } });

// "#/model/census" → ["model", "census"]; the overview's address may hold a search: "#/?q=cens&page=2".
const place = () => location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);

function source() {
  const [view, name] = place();
  if (view === "report") return `runs/${encodeURIComponent(name)}/report`;
  if (view === "model") return `dashboard/content?model=${encodeURIComponent(name)}`;
  return `dashboard/content${location.hash.replace(/^#\/?/, "")}`;
}

function lock(why) {
  key = "";
  asked++;  // an answer that is still under way shows nothing any more
  sessionStorage.removeItem(KEY);
  shown = "";
  content.replaceChildren();
  at("refused").textContent = why;
  at("unlock").hidden = false;
  at("forget").hidden = true;
  at("key").focus();
}

async function load() {
  if (!key) return lock("");
  const number = ++asked, from = source();
  let answer, text;
  try {
    answer = await call(from);
    text = await answer.text();
  } catch {
    return say(AWAY);
  }
  if (at("said").textContent === AWAY) say("");
  if (number !== asked) return;
  if (answer.status === 401 || answer.status === 403) return lock("The key was refused: it must be a function key of this app.");
  if (!answer.ok) return show(from, "", why(text) || `The app answered ${answer.status}; its log says why.`);
  at("unlock").hidden = true;
  at("forget").hidden = false;
  show(from, text, "");
}

function show(from, html, problem) {
  if (shown === from + html + problem) return;
  const moved = shownFrom !== from, focus = document.activeElement && document.activeElement.id;
  const open = [...content.querySelectorAll("details[open]")].map((each) => each.id);
  shown = from + html + problem;
  shownFrom = from;
  const read = new DOMParser().parseFromString(html, "text/html").querySelector("main");
  const main = read || document.createElement("main");
  if (problem) main.textContent = problem;
  content.replaceChildren(document.importNode(main, true));
  for (const id of open) if (at(id)) at(id).open = true;
  if (moved) scrollTo(0, 0);
  const again = focus && at(focus);
  if (again) again.focus({ preventScroll: true });
}

const say = (text) => { at("said").textContent = text; };

function why(text) {
  try { return JSON.parse(text).error || ""; } catch { return ""; }
}

function open(button) {
  act = button.dataset;
  at("what").textContent = act.title;
  at("note").textContent = act.note || "";
  at("go").textContent = button.textContent;
  at("by").value = sessionStorage.getItem(BY) || "";
  at("reason").value = "";
  ask.showModal();
  at("reason").focus();
}

async function carryOut(event) {
  event.preventDefault();
  const body = { by: at("by").value, reason: at("reason").value }, done = act.title;
  sessionStorage.setItem(BY, body.by);
  ask.close();
  say("…");
  try {
    const answer = await call(act.path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const text = await answer.text();
    say(answer.ok ? `${done}: taken up.` : why(text) || `The app answered ${answer.status}; its log says why.`);
  } catch {
    say("No answer: look whether it was taken up before you try again.");
  }
  load();
}

async function save(link) {
  const answer = await call(link.dataset.save);
  if (!answer.ok) return say(`The app answered ${answer.status}; its log says why.`);
  const file = document.createElement("a");
  file.href = URL.createObjectURL(await answer.blob());
  file.download = link.dataset.name;
  file.click();
  setTimeout(() => URL.revokeObjectURL(file.href), 1000);
}

at("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  key = at("key").value.trim();
  sessionStorage.setItem(KEY, key);
  at("key").value = "";
  load();
});
at("forget").addEventListener("click", () => lock(""));
at("skip").addEventListener("click", (event) => {
  event.preventDefault();  // the address says which page is shown
  content.focus();
});
ask.querySelector("form").addEventListener("submit", carryOut);
at("leave").addEventListener("click", () => ask.close());
content.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-path]"), link = event.target.closest("button[data-save]");
  if (button) open(button);
  if (link) save(link);
});
content.addEventListener("submit", (event) => {
  event.preventDefault();
  location.hash = `#/?q=${encodeURIComponent(new FormData(event.target).get("q"))}`;
});
addEventListener("hashchange", load);
setInterval(() => {
  const typing = document.activeElement && document.activeElement.name === "q";
  if (key && !document.hidden && !ask.open && !typing && place()[0] !== "report") load();
}, REFRESH_MS);
load();
