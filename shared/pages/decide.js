"use strict";
const at = (id) => document.getElementById(id);
const token = decodeURIComponent(location.hash.slice(1));
const say = (text) => { at("said").textContent = text; };

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token, ...body }) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error || `The app answered ${answer.status}; its log says why.`);
  return said;
}

async function look() {
  const found = await post("decide/look", {});
  at("what").textContent = `${found.model}: run ${found.run} waits for a person`;
  at("why").textContent = found.reason;
  at("decide").hidden = false;
  const report = new DOMParser().parseFromString(found.report || "", "text/html").querySelector("main");
  if (report) at("content").replaceChildren(document.importNode(report, true));
}

at("decide").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const run = await post("decide", { decision: event.submitter.value, by: at("by").value, reason: at("reason").value });
    at("decide").hidden = true;
    say(`Taken up: ${run.reason}`);
  } catch (problem) { say(problem.message); }
});

if (token) look().catch((problem) => say(problem.message));
else say("This link is not whole: copy all of it.");
