// SPDX-License-Identifier: LGPL-2.1-or-later
// Shows /openapi.json for people and lets them try a call. Everything is made as text nodes: nothing from the description
// is read as markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function resolve(description, value) {
  if (!value || !value.$ref) return value;
  return value.$ref.slice(2).split("/").reduce((at, part) => at && at[part], description);
}

function pretty(value) {
  return JSON.stringify(value, null, 2);
}

// A schema as people read it: references are named, not unfolded.
function words(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((item) => JSON.stringify(item)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(words).join(" | ");
  if (schema.type === "array") return `[${words(schema.items)}]`;
  return [].concat(schema.type || "any").join(" | ");
}

function memberTable(description, schema) {
  const found = resolve(description, schema);
  if (!found || !found.properties) return make("pre", {}, pretty(found || {}));
  const required = new Set(found.required || []);
  const rows = Object.entries(found.properties).map(([name, member]) =>
    make("tr", {}, make("td", {}, make("code", {}, name + (required.has(name) ? " *" : ""))),
      make("td", {}, words(member)), make("td", {}, (resolve(description, member) || {}).description || "")));
  return make("table", {}, make("tbody", {}, ...rows));
}

function parameterTable(description, operation) {
  const rows = (operation.parameters || []).map((raw) => {
    const parameter = resolve(description, raw);
    return make("tr", {}, make("td", {}, make("code", {}, parameter.name + (parameter.required ? " *" : ""))),
      make("td", {}, parameter.in), make("td", {}, words(parameter.schema)), make("td", {}, parameter.description || ""));
  });
  return rows.length ? make("table", {}, make("tbody", {}, ...rows)) : null;
}

function firstExample(content) {
  const examples = Object.values((content && content.examples) || {});
  return examples.length ? examples[0].value : null;
}

async function send(method, path, body, output) {
  const headers = {};
  const token = document.getElementById("token").value;
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== null) headers["Content-Type"] = "application/json";
  output.textContent = "…";
  try {
    const answer = await fetch(path, { method: method.toUpperCase(), headers, body });
    output.textContent = `${answer.status} ${answer.statusText}\n${await answer.text()}`;
  } catch (error) {
    output.textContent = String(error);
  }
}

function tryOut(method, path, json) {
  const target = make("input", { value: path, size: 60, ariaLabel: "path" });
  const body = json ? make("textarea", { value: pretty(firstExample(json) || {}), ariaLabel: "body" }) : null;
  const output = make("pre", {});
  const button = make("button", { type: "button" }, "Send");
  button.addEventListener("click", () => send(method, target.value, body && body.value, output));
  return make("div", {}, make("h4", {}, "Try it"), target, body, button, output);
}

function show(description, path, method, operation) {
  const json = operation.requestBody && operation.requestBody.content["application/json"];
  const permission = operation["x-reeve-permission"];
  const box = make("details", {}, make("summary", {}, make("span", { className: "method" }, method.toUpperCase()),
    make("span", { className: "path" }, path), " ", make("span", { className: "what" }, operation.summary)));
  box.dataset.text = `${method} ${path} ${operation.operationId} ${operation.summary} ${permission || ""}`.toLowerCase();
  box.addEventListener("toggle", () => {
    if (box.childElementCount > 1) return;
    box.append(make("p", {}, operation.description || operation.summary), parameterTable(description, operation) || "");
    for (const [media, content] of Object.entries((operation.requestBody || {}).content || {}))
      box.append(make("h4", {}, `Body: ${media}`), memberTable(description, content.schema));
    for (const [status, raw] of Object.entries(operation.responses)) {
      const answer = resolve(description, raw);
      box.append(make("h4", {}, `${status} ${answer.description}`));
      const example = firstExample(Object.values(answer.content || {})[0]);
      if (example !== null) box.append(make("pre", {}, pretty(example)));
    }
    box.append(tryOut(method, path, json));
  });
  return box;
}

function render(description) {
  const groups = new Map(description.tags.map((tag) => [tag.name, [tag]]));
  for (const [path, methods] of Object.entries(description.paths))
    for (const method of METHODS)
      if (methods[method] && !methods[method].operationId.includes(".alias"))
        groups.get(methods[method].tags[0]).push(show(description, path, method, methods[method]));
  const sections = [...groups.values()].filter((group) => group.length > 1).map(([tag, ...boxes]) =>
    make("section", {}, make("h2", {}, tag.name), make("p", {}, tag.description || ""), ...boxes));
  document.getElementById("operations").replaceChildren(...sections);
  document.getElementById("summary").prepend(`${description.info.title} ${description.info.version}. `);
}

function filter(text) {
  for (const box of document.querySelectorAll("details")) box.hidden = !box.dataset.text.includes(text.toLowerCase());
  for (const section of document.querySelectorAll("section")) section.hidden = !section.querySelector("details:not([hidden])");
}

document.getElementById("filter").addEventListener("input", (event) => filter(event.target.value));
fetch("/openapi.json").then((answer) => answer.json()).then(render).catch((error) => {
  document.getElementById("operations").textContent = String(error);
});
