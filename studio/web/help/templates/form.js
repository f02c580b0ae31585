// Scores one row. Fields have no names and the form no action: without this script, nothing is ever sent.
"use strict";

const form = document.getElementById("form");
const button = form.querySelector("button");
const outcome = document.getElementById("outcome");

function body() {
  const cells = [...form.querySelectorAll(".cell")];
  const table = {
    ColumnNames: cells.map((cell) => cell.dataset.column),
    Values: [cells.map((cell) => (cell.value === "" ? null : cell.value))],
  };
  const fields = [...form.querySelectorAll(".parameter")].filter((field) => field.value !== "");
  const parameters = Object.fromEntries(fields.map((field) => [field.dataset.parameter, field.value]));
  return JSON.stringify({ Inputs: { [form.dataset.input]: table }, GlobalParameters: parameters });
}

function element(name, text, kind) {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function shown(answer) {
  const [output] = Object.values(answer.Results);
  const table = element("table", "");
  output.value.ColumnNames.forEach((name, at) => {
    const row = table.insertRow();
    const head = element("th", name);
    head.scope = "row";
    row.append(head, element("td", output.value.Values[0][at] ?? "missing"));
  });
  return table;
}

function refused(status, answer) {
  const { code, details } = answer.error;
  const text = details.map((detail) => `${detail.code}: ${detail.message}`).join(" ");
  return element("p", `${status} ${code}. ${text}`, "bad");
}

async function score() {
  const key = document.getElementById("key").value;
  const response = await fetch(form.dataset.address, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: body(),
    credentials: "omit",
    redirect: "error",
  });
  const answer = await response.json();
  return response.ok ? shown(answer) : refused(response.status, answer);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  outcome.replaceChildren(element("p", "Scoring…"));
  try {
    outcome.replaceChildren(await score());
  } catch (error) {
    outcome.replaceChildren(element("p", `The request could not be made: ${error.message}`, "bad"));
  } finally {
    button.disabled = false;
  }
});
button.disabled = false;
