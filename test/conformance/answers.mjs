// What an SDK makes of the factory's answers, held against what came over the wire.
import assert from "node:assert/strict";

// Asker calls an SDK and fails unless the SDK understood the whole answer: it
// threw nothing, took nothing for unknown, left nothing out and made nothing up.
export class Asker {
  // The last answer of each kind that was understood, to be distorted.
  understood = new Map();
  transport = fetch;

  constructor(sdk, { serverURL, apiKey }) {
    this.sdk = sdk;
    const httpClient = new sdk.HTTPClient({ fetcher: (request) => this.#fetch(request) });
    this.client = new sdk.Mistral({ serverURL, apiKey, httpClient, retryConfig: { strategy: "none" } });
  }

  // ask gives the parsed answer to a call such as (client) => client.models.list().
  async ask(call) {
    const answer = await this.#check(call, fetch);
    this.understood.set(`${this.wire.status} ${call}`, { call, wire: this.wire });
    return answer;
  }

  // replay checks the call again as if the server had answered it with wire.
  async replay(call, wire) {
    await this.#check(call, async () => Response.json(wire));
  }

  async #check(call, transport) {
    this.transport = transport;
    const unrecognized = this.sdk.startCountingUnrecognized();
    try {
      const answer = await call(this.client);
      assertSame(answer, this.wire, "answer");
      return answer;
    } finally {
      this.transport = fetch;
      assert.equal(unrecognized.end(), 0, "the SDK does not know the value of an enumeration");
    }
  }

  async #fetch(request) {
    this.wire = undefined;
    const response = await this.transport(request);
    if (response.headers.get("content-type") === "application/json") {
      this.wire = await response.clone().json();
    }
    return response;
  }
}

// The names that the SDKs give to fields are the protocol's in camel case, but for this one.
const renamed = { bytes: "sizeBytes" };

// extensions are fields that the factory adds to the protocol.
const extensions = new Set(["base_model", "classifier_limits", "evaluation", "sha256"]);
const isExtension = (field, ofIntegration) => extensions.has(field) || (ofIntegration && field === "error");

// filledIn are fields to which an SDK gives a value of its own where none was sent.
const filledIn = new Set(["internal"]);

function assertSame(parsed, wire, path) {
  if (Array.isArray(wire)) {
    assert.ok(Array.isArray(parsed) && parsed.length === wire.length, `${path} is not the list that was sent`);
    wire.forEach((element, i) => assertSame(parsed[i], element, `${path}[${i}]`));
  } else if (wire !== null && typeof wire === "object") {
    assertSameFields(parsed, wire, path);
  } else {
    assert.equal(parsed, wire, path);
  }
}

function assertSameFields(parsed, wire, path) {
  assert.ok(parsed !== null && typeof parsed === "object", `${path} is not the object that was sent`);
  assert.ok(!parsed.isUnknown, `${path} is unknown to the SDK: ${JSON.stringify(wire)}`);
  const known = new Set();
  for (const [field, value] of Object.entries(wire)) {
    if (isExtension(field, /\.integrations\[\d+\]$/.test(path))) continue;
    const name = [field, camelCase(field), renamed[field]].find((candidate) => candidate in parsed);
    assert.ok(name, `${path}.${field} is left out by the SDK`);
    known.add(name);
    assertSame(parsed[name], value, `${path}.${field}`);
  }
  for (const [name, value] of Object.entries(parsed)) {
    const absentCapability = path.endsWith(".capabilities") && value === false;
    assert.ok(known.has(name) || filledIn.has(name) || value === undefined || absentCapability, `${path}.${name} was not sent`);
  }
}

const camelCase = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

// distortions gives the answer once for each of its values, with that value of a wrong type.
export function* distortions(wire) {
  for (const path of paths(wire, [])) {
    const distorted = structuredClone(wire);
    const parent = path.slice(0, -1).reduce((value, key) => value[key], distorted);
    const last = path.at(-1);
    parent[last] = parent[last] !== null && typeof parent[last] === "object" ? "distorted" : { distorted: true };
    yield { path: path.join("."), distorted };
  }
}

function* paths(value, path) {
  if (value === null || typeof value !== "object") return;
  for (const [key, child] of Object.entries(value)) {
    const freeForm = path.at(-3) === "events" && path.at(-1) === "data";
    if (freeForm || isExtension(key, path.at(-2) === "integrations")) continue;
    yield [...path, key];
    yield* paths(child, [...path, key]);
  }
}
