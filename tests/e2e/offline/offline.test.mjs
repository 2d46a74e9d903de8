/**
 * Without a network from the first start: a model comes from a folder, questions are answered, and nobody even asks for a
 * name. The whole file runs in a network namespace that has no route; what the programs ask of the system is recorded.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { answered, ask, modelReady } from "../lib/chat.mjs";
import { start } from "../lib/processes.mjs";
import { findings, started, traced } from "../lib/trace.mjs";
import { picture, setting, Stage, violations } from "../lib/window.mjs";

const ROOT = setting("AULA_E2E_ROOT");
const AULA = setting("AULA_E2E_AULA");
const folder = mkdtempSync(join(tmpdir(), "aula-offline-"));
const data = join(folder, "data");
const stick = join(folder, "stick");
// No demo model: whoever answers is the model that was brought along.
const environment = { ...process.env, AULA_DATA_DIR: data, AULA_DEMO_MODEL: join(folder, "none.gguf"), LANG: "es_CO.UTF-8" };

test.before(() => {
  mkdirSync(stick);
  copyFileSync(join(ROOT, "models/demo/aula-demo.gguf"), join(stick, "model.gguf"));
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program to its end under watch: its exit code, what it printed, and the record. */
async function watched(name, ...line) {
  const record = join(folder, `${name}.trace`);
  const child = start(...traced(record, line), { env: environment });
  const [code] = await once(child, "close");
  return { code, log: child.log, record };
}

test("there is no way out of here", () => {
  const [, ...routes] = readFileSync("/proc/net/route", "utf8").trim().split("\n");
  assert.deepEqual(routes, []);
  const interfaces = readFileSync("/proc/net/dev", "utf8").match(/^\s*\S+(?=:)/gm);
  assert.deepEqual(interfaces.map((name) => name.trim()), ["lo"]);
});

test("the watch notices a look-up, a connection and a datagram", async () => {
  const lookup = await watched("control-name", "getent", "ahosts", "aula.example.org");
  assert.notEqual(lookup.code, 0);
  const seen = findings(lookup.record);
  assert.ok(seen.some(({ what }) => what.includes("/etc/resolv.conf")), JSON.stringify(seen));
  assert.ok(seen.some(({ what }) => what.startsWith("socket(AF_INET")), JSON.stringify(seen));
  assert.ok(seen.every(({ program }) => program === "getent"), JSON.stringify(seen));
  // The same where loopback is allowed: what asks for names is noticed wherever it asks.
  assert.notDeepEqual(findings(lookup.record, { loopback: true }), []);

  const script = "require('net').connect(443, '203.0.113.1').on('error', () => {})";
  const connection = await watched("control-connection", process.execPath, "-e", script);
  assert.ok(findings(connection.record, { loopback: true }).some(({ what }) => what.includes("203.0.113.1")));

  const datagram = "require('dgram').createSocket('udp4').on('error', () => {}).send('x', 53, '127.0.0.1', function () { this.close() })";
  const sent = await watched("control-datagram", process.execPath, "-e", datagram);
  assert.ok(findings(sent.record, { loopback: true }).some(({ what }) => what.includes("htons(53)")));
});

test("the terminal takes a model from a folder and answers with it", async () => {
  const imported = await watched("import", AULA, "models", "import", join(stick, "model.gguf"));
  assert.equal(imported.code, 0, imported.log);
  assert.deepEqual(findings(imported.record), []);

  const asked = await watched("ask", AULA, "ask", "--temperature", "0", "¿Cuánto es 7 × 8?");
  assert.equal(asked.code, 0, asked.log);
  assert.match(asked.log, /56/);
  assert.deepEqual(findings(asked.record), []);

  const made = await watched("make", AULA, "make", "quiz", "las fracciones", "--count", "3", "--lang", "es", "--json");
  assert.equal(made.code, 0, made.log);
  assert.match(made.log, /"tool":\s*"quiz"/);
  assert.deepEqual(findings(made.record), []);
  // The record reaches into the process that holds the model.
  assert.ok(started(asked.record).has("aula"));

  const doctor = await watched("doctor", AULA, "doctor");
  assert.equal(doctor.code, 0, doctor.log);
  assert.deepEqual(findings(doctor.record), []);
});

test("the window answers with it", async () => {
  const record = join(folder, "window.trace");
  // The drivers speak with the window over loopback, which a new namespace has not yet switched on.
  execFileSync("ip", ["link", "set", "lo", "up"]);
  const stage = await Stage.build(environment, { data, wrap: (line) => traced(record, line) });
  try {
    const window = await stage.open();
    await modelReady(window);
    await ask(window, "¿Cuánto es 7 × 8?");
    const answer = await answered(window, 1);
    assert.equal(answer.state, "complete");
    assert.match(answer.text, /56/);
    assert.equal(await violations(window), 0);
    await picture(window, "window-offline");
    await window.close();
    await stage.quiet();
  } finally {
    await stage.strike();
  }
  const programs = started(record);
  for (const name of ["aula-desktop", "WebKitNetworkProcess", "WebKitWebProcess"]) {
    assert.ok(programs.has(name), `${name} was not watched: ${[...programs]}`);
  }
  assert.deepEqual(findings(record, { loopback: true }), []);
});
