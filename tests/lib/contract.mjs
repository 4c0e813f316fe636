// Holds answers against api/openapi.yaml: each answer of a call that the document has must be one that the document says.
// As much of JSON Schema 2020-12 as the document uses; a keyword that is not known here is an error, not ignored.

import assert from "node:assert/strict";

const ANNOTATIONS = new Set(["description", "examples", "default", "format", "contentEncoding", "title", "readOnly", "writeOnly", "deprecated"]);

const typeOf = (value) =>
  value === null ? "null" : Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value;

const keywords = {
  type(wanted, value) {
    const type = typeOf(value);
    const fits = [wanted].flat().some((one) => one === type || (one === "number" && type === "integer"));
    return fits ? [] : [`is ${type} instead of ${[wanted].flat().join(" or ")}`];
  },
  enum: (wanted, value) => (wanted.includes(value) ? [] : [`${JSON.stringify(value)} is none of ${JSON.stringify(wanted)}`]),
  const: (wanted, value) => (value === wanted ? [] : [`${JSON.stringify(value)} is not ${JSON.stringify(wanted)}`]),
  pattern: (wanted, value) => (typeof value !== "string" || new RegExp(wanted, "u").test(value) ? [] : [`${JSON.stringify(value)} does not match ${wanted}`]),
  minLength: (wanted, value) => (typeof value !== "string" || value.length >= wanted ? [] : ["is too short"]),
  maxLength: (wanted, value) => (typeof value !== "string" || value.length <= wanted ? [] : ["is too long"]),
  minimum: (wanted, value) => (typeof value !== "number" || value >= wanted ? [] : [`${value} is below ${wanted}`]),
  maximum: (wanted, value) => (typeof value !== "number" || value <= wanted ? [] : [`${value} is above ${wanted}`]),
  minItems: (wanted, value) => (!Array.isArray(value) || value.length >= wanted ? [] : ["has too few items"]),
  maxItems: (wanted, value) => (!Array.isArray(value) || value.length <= wanted ? [] : ["has too many items"]),
  uniqueItems: (wanted, value) => (!Array.isArray(value) || !wanted || new Set(value.map((item) => JSON.stringify(item))).size === value.length ? [] : ["has items twice"]),
  minProperties: (wanted, value) => (typeOf(value) !== "object" || Object.keys(value).length >= wanted ? [] : ["has too few members"]),
  maxProperties: (wanted, value) => (typeOf(value) !== "object" || Object.keys(value).length <= wanted ? [] : ["has too many members"]),
  required: (wanted, value) => (typeOf(value) === "object" ? wanted.filter((name) => !(name in value)).map((name) => `has no ${name}`) : []),
  properties(wanted, value, contract) {
    if (typeOf(value) !== "object") return [];
    return Object.entries(wanted).flatMap(([name, schema]) => (name in value ? contract.errors(schema, value[name]).map((error) => `${name}: ${error}`) : []));
  },
  additionalProperties(wanted, value, contract, schema) {
    if (typeOf(value) !== "object") return [];
    const others = Object.keys(value).filter((name) => !(name in (schema.properties ?? {})));
    if (wanted === false) return others.map((name) => `has ${name}, which the schema does not`);
    return wanted === true ? [] : others.flatMap((name) => contract.errors(wanted, value[name]).map((error) => `${name}: ${error}`));
  },
  items: (wanted, value, contract) => (Array.isArray(value) ? value.flatMap((item, i) => contract.errors(wanted, item).map((error) => `[${i}] ${error}`)) : []),
  allOf: (wanted, value, contract) => wanted.flatMap((schema) => contract.errors(schema, value)),
  anyOf: (wanted, value, contract) => (wanted.some((schema) => !contract.errors(schema, value).length) ? [] : ["fits none of anyOf"]),
  oneOf(wanted, value, contract) {
    const failures = wanted.map((schema) => contract.errors(schema, value));
    const fitting = failures.filter((errors) => !errors.length).length;
    return fitting === 1 ? [] : [`fits ${fitting} of oneOf: ${JSON.stringify(failures)}`];
  },
  $ref: (wanted, value, contract) => contract.errors(contract.resolve(wanted), value),
};

export class Contract {
  constructor(document) {
    this.document = document;
    this.paths = Object.entries(document.paths).map(([template, item]) => ({
      item,
      literal: template.replace(/\{[^}]*\}/g, "").length,
      pattern: new RegExp(`^${template.replace(/[.]/g, "\\.").replace(/\{path\}/g, ".+").replace(/\{[^}]*\}/g, "[^/]+")}$`),
    }));
    this.paths.sort((a, b) => b.literal - a.literal);
  }

  resolve(reference) {
    return reference.slice(2).split("/").reduce((at, name) => at[name.replace(/~1/g, "/").replace(/~0/g, "~")], this.document);
  }

  /** What is wrong with a value, as sentences. */
  errors(schema, value) {
    if (schema === true) return [];
    return Object.entries(schema).flatMap(([keyword, wanted]) => {
      if (ANNOTATIONS.has(keyword)) return [];
      if (!keywords[keyword]) throw new Error(`contract.mjs does not know the keyword ${keyword}`);
      return keywords[keyword](wanted, value, this, schema);
    });
  }

  operation(method, path) {
    const found = this.paths.find(({ pattern }) => pattern.test(path));
    return found?.item[method === "HEAD" ? "get" : method.toLowerCase()];
  }

  /** Asserts that the answer to a request is one that the document says. */
  check(method, target, answer) {
    const path = target.split("?")[0];
    const operation = this.operation(method, path);
    if (!operation) return;
    let response = operation.responses[answer.status] ?? (answer.status >= 400 ? operation.responses.default : undefined);
    const what = `${method} ${path} answers ${answer.status}`;
    assert.ok(response, `${what}, which openapi.yaml does not say`);
    if (response.$ref) response = this.resolve(response.$ref);
    const [mediaType] = (answer.headers["content-type"] ?? "").split(";");
    const bodiless = method === "HEAD" || answer.bytes.length === 0;
    if (bodiless || !response.content) return assert.ok(bodiless, `${what} with a body, which openapi.yaml does not say`);
    const content = response.content[mediaType];
    assert.ok(content, `${what} with ${mediaType}, which openapi.yaml does not say`);
    if (!/[/+]json$/.test(mediaType) || !content.schema) return;
    const errors = this.errors(content.schema, answer.json);
    assert.equal(errors.length, 0, `${what}, which is not as openapi.yaml says: ${errors.slice(0, 5).join("; ")}: ${answer.text.slice(0, 600)}`);
  }
}
