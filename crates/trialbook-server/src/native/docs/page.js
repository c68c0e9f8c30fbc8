// Makes the reference from the description of the API. Everything is set as text.
"use strict";

const element = (name, text, ...children) => {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  made.append(...children);
  return made;
};

const shape = (schema) => {
  if (!schema) return "anything";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const any = schema.anyOf || schema.oneOf;
  if (any) return any.map(shape).join(" | ");
  if (schema.type === "array") return shape(schema.items) + "[]";
  if (schema.additionalProperties && typeof schema.additionalProperties === "object") {
    return "{ key: " + shape(schema.additionalProperties) + " }";
  }
  return [].concat(schema.type || "anything").join(" | ");
};

const fields = (schema) => {
  const table = element("table");
  const required = new Set(schema.required || []);
  for (const [name, of] of Object.entries(schema.properties || {})) {
    const row = element("tr");
    row.append(element("td", "", element("code", name)), element("td", shape(of)));
    row.append(element("td", (required.has(name) ? "" : "may be absent. ") + (of.description || "")));
    table.append(row);
  }
  return table;
};

const body = (title, content) => {
  const parts = [];
  for (const [kind, { schema }] of Object.entries(content || {})) {
    const line = element("p", title + " ");
    line.append(element("code", kind), " ");
    if (schema && schema.$ref) {
      const name = schema.$ref.split("/").pop();
      const link = element("a", name);
      link.href = "#" + name;
      line.append(link);
    } else if (schema) {
      line.append(schema.description || shape(schema));
    }
    parts.push(line);
  }
  return parts;
};

const route = (method, path, operation) => {
  const made = element("details");
  made.id = operation.operationId;
  const head = element("summary", null, element("b", method.toUpperCase()), element("code", path));
  head.append(" ", element("span", operation.summary));
  made.append(head);
  made.append(element("p", "Needs the scope " + operation["x-scope"] + "."));
  const table = element("table");
  for (const parameter of operation.parameters || []) {
    const row = element("tr");
    row.append(element("td", "", element("code", parameter.name)), element("td", "in the " + parameter.in));
    row.append(element("td", shape(parameter.schema)), element("td", parameter.description || ""));
    table.append(row);
  }
  if (table.children.length) made.append(table);
  made.append(...body("Takes", operation.requestBody && operation.requestBody.content));
  made.append(...body("Gives", operation.responses["200"].content));
  return made;
};

const show = (description) => {
  document.getElementById("about").textContent = description.info.description;
  const main = document.getElementById("routes");
  main.textContent = "";
  for (const { name } of description.tags) {
    const section = element("section", null, element("h2", name));
    for (const [path, methods] of Object.entries(description.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.tags.includes(name)) section.append(route(method, path, operation));
      }
    }
    main.append(section);
  }
  const types = element("section", null, element("h2", "Types"));
  for (const [name, schema] of Object.entries(description.components.schemas)) {
    const made = element("details", null, element("summary", null, element("code", name)));
    made.id = name;
    if (schema.description) made.append(element("p", schema.description));
    made.append(schema.properties ? fields(schema) : element("p", shape(schema)));
    types.append(made);
  }
  main.append(types);
};

const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
  }
};

document.getElementById("find").addEventListener("input", (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const made of document.querySelectorAll("main details")) {
    made.hidden = !made.textContent.toLowerCase().includes(wanted);
  }
});
addEventListener("hashchange", open);
fetch("/api/v1/openapi.json")
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error("HTTP " + answer.status))))
  .then((description) => { show(description); open(); })
  .catch((error) => { document.getElementById("routes").textContent = "The description cannot be read: " + error.message; });
