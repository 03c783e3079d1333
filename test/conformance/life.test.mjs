// The life of a classifier as the official SDK leads it, release by release. Run by hack/conformance.sh.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Asker, distortions } from "./answers.mjs";
import { startFactory } from "./factory.mjs";
import * as sdk1 from "./sdk-1/sdk.mjs";
import * as sdk2 from "./sdk-2/sdk.mjs";
import * as newest from "./sdk-newest/sdk.mjs";

const samples = new URL("../../config/samples/quickstart/data/", import.meta.url);
const model = "ministral-3b-latest";
const noSuchID = "00000000-0000-4000-8000-000000000000";

const read = async (name) => new Uint8Array(await readFile(new URL(name, samples)));
const ids = (list) => list.data.map(({ id }) => id);

describe("SDK 1.15.1", () => life(sdk1));
describe("SDK 2.4.0", () => life(sdk2));
describe("SDK 2.7.0, with the jobs of 2.4.0", () => life(newest, sdk2));

// life needs a second SDK where the first trains no more.
function life(sdk, trainingSDK = sdk) {
  let factory;
  let asker;
  let trainer;
  const ask = (call) => asker.ask(call);
  const train = (call) => trainer.ask(call);
  const upload = (fileName, content) => ask((client) => client.files.upload({ file: { fileName, content }, purpose: "fine-tune" }));
  const create = (file, options) => train((client) => client.fineTuning.jobs.create({
    model, jobType: "classifier", trainingFiles: [{ fileId: file.id, weight: 1 }],
    hyperparameters: { trainingSteps: 20, learningRate: 4e-5 }, autoStart: false, ...options,
  }));

  // until polls a job until it has the status.
  async function until(jobId, status) {
    for (let look = 0; look < 600; look++) {
      const job = await train((client) => client.fineTuning.jobs.get({ jobId }));
      if (job.status === status) return job;
      assert.ok(["QUEUED", "VALIDATING", "VALIDATED", "RUNNING", "CANCELLATION_REQUESTED"].includes(job.status), `the job is ${job.status}`);
      await sleep(50);
    }
    assert.fail(`the job does not become ${status}`);
  }

  // refused fails unless the server refuses the call with an error of the SDK's.
  async function refused(call, kind, statusCode, client = asker.client, { errors } = sdk) {
    const error = await call(client).then(() => assert.fail(`this is not refused: ${call}`), (thrown) => thrown);
    assert.equal(error.constructor, errors[kind], `${error}: ${error.cause}`);
    assert.equal(error.statusCode, statusCode);
    assert.equal(error.headers.get("content-type"), "application/json");
    assert.ok(error.headers.get("x-request-id"));
    return error;
  }

  before(async () => {
    factory = await startFactory();
    asker = new Asker(sdk, factory);
    trainer = trainingSDK === sdk ? asker : new Asker(trainingSDK, factory);
  });
  after(() => factory?.stop());

  const files = {};
  test("files are uploaded, listed by page, looked at and downloaded", async () => {
    for (const name of ["intents-train", "intents-validation", "tickets-train"]) {
      files[name] = await upload(`${name}.jsonl`, await read(`${name}.jsonl`));
    }
    const all = await ask((client) => client.files.list());
    assert.deepEqual(ids(all).toSorted(), Object.values(files).map(({ id }) => id).toSorted());
    const pages = [];
    for (const page of [0, 1, 2]) {
      pages.push(await ask((client) => client.files.list({ page, pageSize: 2, includeTotal: true })));
    }
    assert.deepEqual(pages.flatMap(ids), ids(all));
    assert.equal(pages[0].total, 3);
    const found = await ask((client) => client.files.list({ search: "tickets", purpose: "fine-tune", source: ["upload"] }));
    assert.deepEqual(ids(found), [files["tickets-train"].id]);

    const { id: fileId } = files["intents-train"];
    const content = await read("intents-train.jsonl");
    assert.equal((await ask((client) => client.files.retrieve({ fileId }))).sizeBytes, content.length);
    const download = await asker.client.files.download({ fileId });
    assert.deepEqual(new Uint8Array(await new Response(download).arrayBuffer()), content);
    const signed = await ask((client) => client.files.getSignedUrl({ fileId, expiry: 1 }));
    assert.deepEqual(new Uint8Array(await (await fetch(signed.url)).arrayBuffer()), content);
  });

  const models = {};
  test("jobs are created, started and polled until they have a model", async () => {
    const created = await create(files["intents-train"], { validationFiles: [files["intents-validation"].id], suffix: "shop" });
    assert.equal(created.status, "QUEUED");
    const jobId = created.id;
    const validated = await until(jobId, "VALIDATED");
    assert.equal(validated.classifierTargets[0].labels.length, 10);
    assert.ok(validated.metadata.dataTokens > 0);
    await train((client) => client.fineTuning.jobs.start({ jobId }));
    const intents = await until(jobId, "SUCCESS");
    assert.ok(intents.checkpoints.length > 0 && intents.events.length > 0);
    // Notebooks take 0 for "not evaluated at this step", and nothing else.
    const curve = intents.checkpoints.map(({ metrics }) => metrics.validLoss).filter((loss) => loss !== 0);
    assert.ok(curve.length > 1 && curve.every((loss) => loss > 0), `the validation line is ${curve}`);
    models.intents = intents.fineTunedModel;

    const tickets = await create(files["tickets-train"], { autoStart: true });
    models.tickets = (await until(tickets.id, "SUCCESS")).fineTunedModel;
  });

  test("a job is cancelled, and jobs are listed", async () => {
    const integrations = [{ type: "wandb", project: "shop", apiKey: "0123456789".repeat(4), name: "run" }];
    const { id: jobId } = await create(files["intents-train"], { integrations });
    await train((client) => client.fineTuning.jobs.cancel({ jobId }));
    await until(jobId, "CANCELLED");

    const all = await train((client) => client.fineTuning.jobs.list());
    assert.equal(all.total, 3);
    const pages = [];
    for (const page of [0, 1]) pages.push(await train((client) => client.fineTuning.jobs.list({ page, pageSize: 2 })));
    assert.deepEqual(pages.flatMap(ids), ids(all));
    const cancelled = await train((client) => client.fineTuning.jobs.list({ status: "CANCELLED", model, createdAfter: new Date(0), wandbProject: "shop" }));
    assert.deepEqual(ids(cancelled), [jobId]);
  });

  test("a job whose data is invalid fails with the reason", async () => {
    const file = await upload("one-label.jsonl", new TextEncoder().encode('{"text": "lamp", "labels": {"intent": "light"}}\n'));
    const { id } = await create(file, { autoStart: true });
    const failed = await until(id, "FAILED_VALIDATION");
    assert.match(failed.events.map(({ data }) => data.error).join(" "), /label/);
    await ask((client) => client.files.delete({ fileId: file.id }));
  });

  test("models are listed, renamed, archived and unarchived", async () => {
    const modelId = models.intents;
    assert.deepEqual(ids(await ask((client) => client.models.list())).toSorted(), [...Object.values(models), model].toSorted());
    const updated = await ask((client) => client.models.update(sdk.modelUpdate(modelId, { name: "Shop", description: "what a customer wants" })));
    assert.equal(updated.classifierTargets[0].name, "intent");
    assert.equal((await ask((client) => client.models.archive({ modelId }))).archived, true);
    assert.equal((await ask((client) => client.models.unarchive({ modelId }))).archived, false);
    assert.equal((await ask((client) => client.models.retrieve({ modelId }))).name, "Shop");
    await ask((client) => client.models.retrieve({ modelId: model }));
    assert.equal((await ask((client) => client.models.list({ provider: "classifier-factory" }))).data.length, 3);
    assert.equal((await ask((client) => client.models.list({ provider: "another" }))).data.length, 0);
  });

  test("texts and conversations are classified", async () => {
    const one = await ask((client) => client.classifiers.classify({ model: models.intents, inputs: "Where is my parcel?" }));
    const many = await ask((client) => client.classifiers.classify({ model: models.intents, inputs: ["Where is my parcel?", "I want my money back"] }));
    assert.deepEqual(one.results[0], many.results[0]);
    assertScores(many.results, { intent: 10 });

    const conversation = { messages: [
      { role: "system", content: "You help." },
      { role: "user", content: [{ type: "text", text: "My parcel is lost!" }] },
      { role: "assistant", content: "Since when?" },
    ] };
    for (const input of [conversation, [conversation]]) {
      const answer = await ask((client) => client.classifiers.classifyChat(sdk.chatRequest(models.tickets, input)));
      assertScores(answer.results, { topic: 4, urgency: 3 });
    }
  });

  test("refusals are the SDK's errors", async () => {
    const stranger = new Asker(sdk, { ...factory, apiKey: "wrong" }).client;
    const unauthorized = await refused((client) => client.models.list(), "SDKError", 401, stranger);
    assert.deepEqual(JSON.parse(unauthorized.body), { detail: "Unauthorized" });

    for (const [status, call] of [
      [404, (client) => client.files.retrieve({ fileId: noSuchID })],
      [404, (client) => client.files.download({ fileId: noSuchID })],
      [404, (client) => client.files.delete({ fileId: noSuchID })],
      [404, (client) => client.models.retrieve({ modelId: "ft:classifier:none" })],
      [404, (client) => client.models.update(sdk.modelUpdate("ft:classifier:none", { name: "x" }))],
      [403, (client) => client.models.delete({ modelId: model })],
      [422, (client) => client.files.upload({ file: { fileName: "x.zip", content: new Uint8Array(1) } })],
    ]) {
      assert.ok(JSON.parse((await refused(call, "SDKError", status)).body).detail);
    }
    for (const call of [
      (client) => client.classifiers.classify({ model: "ft:classifier:none", inputs: "x" }),
      (client) => client.classifiers.classifyChat(sdk.chatRequest("ft:classifier:none", { messages: [{ role: "user", content: "x" }] })),
    ]) {
      const unknown = JSON.parse((await refused(call, "SDKError", 400)).body);
      assert.deepEqual(unknown, { object: "error", message: "Invalid model: ft:classifier:none", type: "invalid_model", param: null, code: "1500" });
    }
    for (const call of [
      (client) => client.classifiers.moderate({ model, inputs: "x" }),
      (client) => client.chat.complete({ model, messages: [{ role: "user", content: "x" }] }),
      (client) => client.embeddings.create({ model, inputs: ["x"] }),
    ]) {
      assert.match(JSON.parse((await refused(call, "SDKError", 404)).body).detail, /This server is a Classifier Factory/);
    }
    for (const [status, call] of [
      [404, (client) => client.fineTuning.jobs.get({ jobId: noSuchID })],
      [422, (client) => client.fineTuning.jobs.create({ model, jobType: "classifier", hyperparameters: {} })],
      [422, (client) => client.fineTuning.jobs.create({ model: "no-such-model", hyperparameters: {} })],
      [422, (client) => client.fineTuning.jobs.create({ model, jobType: "classifier", hyperparameters: {}, trainingFiles: [{ fileId: noSuchID, weight: 1 }],
        repositories: [{ type: "github", name: "texts", owner: "shop", token: "token" }] })],
    ]) {
      assert.ok(JSON.parse((await refused(call, "SDKError", status, trainer.client, trainingSDK)).body).detail);
    }
    const image = { role: "user", content: [{ type: "text", text: "What is it?" }, { type: "image_url", imageUrl: "https://example.com/x.png" }] };
    for (const [loc, call] of [
      [["model"], (client) => client.classifiers.classify({ model, inputs: "no classifier but a base model" })],
      [["input"], (client) => client.classifiers.classify({ model: models.intents, inputs: [] })],
      [["input", 2], (client) => client.classifiers.classify({ model: models.intents, inputs: ["a", "b", "cut in half: 😀".slice(0, -1)] })],
      [["input", "messages"], (client) => client.classifiers.classifyChat(sdk.chatRequest(models.tickets, { messages: [] }))],
      [["input", 0, "messages"], (client) => client.classifiers.classifyChat(sdk.chatRequest(models.tickets, [{ messages: [] }]))],
      [["input", 0, "messages", 0, "content", 1, "type"], (client) => client.classifiers.classifyChat(sdk.chatRequest(models.tickets, [{ messages: [image] }]))],
    ]) {
      const error = await refused(call, "HTTPValidationError", 422);
      assert.deepEqual(error.detail[0].loc, ["body", ...loc]);
      assert.ok(error.detail[0].msg);
    }
  });

  test("everything is deleted", async () => {
    for (const { id: fileId } of Object.values(files)) {
      assert.equal((await ask((client) => client.files.delete({ fileId }))).deleted, true);
    }
    for (const modelId of Object.values(models)) {
      assert.equal((await ask((client) => client.models.delete({ modelId }))).deleted, true);
    }
    assert.equal((await ask((client) => client.files.list())).data.length, 0);
    assert.deepEqual(ids(await ask((client) => client.models.list())), [model]);
  });

  // What the tests above rely on: a wrong answer does not pass unnoticed.
  test("every distortion of these answers is noticed", async () => {
    let count = 0;
    for (const teller of new Set([asker, trainer])) {
      for (const { call, wire } of teller.understood.values()) {
        await teller.replay(call, wire);
        for (const { path, distorted } of distortions(wire)) {
          await assert.rejects(teller.replay(call, distorted), `${call} with another ${path}`);
          count++;
        }
      }
    }
    assert.ok(count > 1000, `only ${count} distortions`);

    const { call, wire } = [...trainer.understood.values()].find(({ wire }) => wire.object === "job");
    for (const change of [{ status: "SUCCEEDED" }, { job_type: undefined }, { another_field: 1 }]) {
      await assert.rejects(trainer.replay(call, { ...wire, ...change }), JSON.stringify(change));
    }
  });
}

// assertScores checks for each result the labels of each target, whose scores are a distribution.
function assertScores(results, labels) {
  for (const result of results) {
    const counts = Object.entries(result).map(([target, { scores }]) => [target, Object.keys(scores).length]);
    assert.deepEqual(Object.fromEntries(counts), labels);
    for (const { scores } of Object.values(result)) {
      const sum = Object.values(scores).reduce((total, score) => total + score, 0);
      assert.ok(Math.abs(sum - 1) < 1e-6, `the scores sum to ${sum}`);
    }
  }
}
