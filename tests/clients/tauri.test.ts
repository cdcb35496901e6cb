/** The TypeScript client with the real program behind a stand-in for the shell plugin. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import * as Y from "yjs";
import { type Event, type Exit, Sidecar } from "../../sidecar/host/tauri.js";
import { allow, deliver, exitApp, reloadPage, running } from "./shell-plugin.js";

const PROGRAM = JSON.parse(process.env["SIDECAR_PROGRAM"] ?? "[]") as string[];
const NAME = "binaries/epicenter-sidecar";
const LIMIT = { timeout: 60_000 };

let root: string;
let storage: MemoryStorage;

class MemoryStorage {
  readonly items = new Map<string, string>();
  getItem = (key: string): string | null => this.items.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.items.set(key, value);
  removeItem = (key: string): void => void this.items.delete(key);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "client-"));
  storage = new MemoryStorage();
  deliver((line) => [`${line}\n`]);
  allowWatch();
});

afterEach(async () => {
  await exitApp();
  rmSync(root, { recursive: true });
});

test("start resolves with ready, and later edits are heard", LIMIT, async () => {
  const { sidecar, events } = makeSidecar();
  save("w1", ["a", "b"]);
  const ready = await sidecar.start();
  assert.equal(ready.documents, 1);
  assert.deepEqual(events.map((event) => event.type).slice(0, 1), ["started"]);
  const rebuilt = next(sidecar, "rebuilt");
  save("w1", ["a", "b", "c"]);
  assert.deepEqual((await rebuilt).changed, ["posts"]);
});

test("sync, status and ping resolve with their own replies", LIMIT, async () => {
  const { sidecar } = makeSidecar();
  save("w1", ["a"]);
  await sidecar.start();
  const [synced, , status] = await Promise.all([
    sidecar.sync({ workspace: "w1", force: true }),
    sidecar.ping(),
    sidecar.status(),
  ]);
  assert.deepEqual([synced.rebuilt, synced.failed], [1, 0]);
  assert.deepEqual(status.map(({ workspace }) => workspace), ["w1"]);
});

test("a command about an unknown workspace is refused", LIMIT, async () => {
  const { sidecar } = makeSidecar();
  await sidecar.start();
  await assert.rejects(sidecar.sync({ workspace: "nowhere" }), { code: "gone" });
});

test("lines arrive in any pieces, with or without their ends", LIMIT, async () => {
  const pieces = [
    (line: string) => [...line, "\n"],
    (line: string) => [line.slice(0, 20), `${line.slice(20)}\n`],
    (line: string) => [line],
    (line: string) => [`${line}\r\n`],
  ];
  for (const cut of pieces) {
    deliver(cut);
    const { sidecar, logged } = makeSidecar();
    await sidecar.start();
    await sidecar.ping();
    await sidecar.shutdown();
    assert.deepEqual(logged.filter((line) => line.startsWith("{")), []);
  }
});

test("shutdown ends the process and forgets it", LIMIT, async () => {
  const { sidecar, exits } = makeSidecar();
  await sidecar.start();
  const stopped = next(sidecar, "stopped");
  await sidecar.shutdown();
  assert.equal((await stopped).reason, "shutdown");
  assert.deepEqual(exits, [{ code: 0, signal: null, restarting: false }]);
  assert.deepEqual([running(), storage.items.size], [[], 0]);
  await assert.rejects(sidecar.ping(), { code: "not_running" });
  await sidecar.start();
});

test("a crash is followed by a start, and what was asked is refused", LIMIT, async () => {
  const { sidecar, exits } = makeSidecar();
  const { pid } = await sidecar.start();
  const again = next(sidecar, "ready");
  process.kill(pid, "SIGSTOP");
  const unanswered = sidecar.ping();
  process.kill(pid, "SIGKILL");
  await assert.rejects(unanswered, { name: "SidecarError", code: "exited" });
  assert.notEqual((await again).pid, pid);
  assert.deepEqual(exits, [{ code: null, signal: 9, restarting: true }]);
});

test("a silent program is given up with a timeout", LIMIT, async () => {
  const { sidecar } = makeSidecar();
  const { pid } = await sidecar.start();
  process.kill(pid, "SIGSTOP");
  await assert.rejects(sidecar.ping(100), { code: "timeout" });
  process.kill(pid, "SIGCONT");
  await sidecar.ping();
});

test("shutdown kills a program that does not stop", LIMIT, async () => {
  const { sidecar, exits } = makeSidecar();
  const { pid } = await sidecar.start();
  process.kill(pid, "SIGSTOP");
  await sidecar.shutdown();
  assert.deepEqual(exits, [{ code: null, signal: 9, restarting: false }]);
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
});

test("a reloaded page takes over", LIMIT, async () => {
  const before = makeSidecar();
  const { pid } = await before.sidecar.start();
  reloadPage();
  const after = makeSidecar();
  const ready = await after.sidecar.start();
  assert.notEqual(ready.pid, pid);
  await isOnlyProcess(ready.pid);
  assert.deepEqual(before.exits, []);
});

test("a second client of one page takes over, and the first one stays ended", LIMIT, async () => {
  const first = makeSidecar();
  await first.sidecar.start();
  const second = makeSidecar();
  const ready = await second.sidecar.start();
  await until(() => first.exits.length > 0);
  assert.deepEqual(first.exits, [{ code: 0, signal: null, restarting: false }]);
  await isOnlyProcess(ready.pid);
  assert.deepEqual([...storage.items.values()], [String(ready.pid)]);
});

test("a page reloaded while it starts is taken over by way of the lock", LIMIT, async () => {
  const before = makeSidecar();
  const { pid } = await before.sidecar.start();
  storage.setItem("epicenter-sidecar", "starting");
  reloadPage();
  const { sidecar } = makeSidecar();
  const ready = await sidecar.start();
  assert.notEqual(ready.pid, pid);
  await isOnlyProcess(ready.pid);
});

test("reloads in the midst of starts leave one process in the end", LIMIT, async () => {
  for (const processes of [0, 1, 2]) {
    makeSidecar().sidecar.start().catch(() => undefined);
    await until(() => running().length >= processes);
    reloadPage();
  }
  const ready = await makeSidecar().sidecar.start();
  await isOnlyProcess(ready.pid);
});

test("a watcher of somebody else is left alone, and said to hold the lock", LIMIT, async () => {
  const other = makeSidecar(new MemoryStorage());
  await other.sidecar.start();
  const { sidecar, exits } = makeSidecar();
  await assert.rejects(sidecar.start(), { code: "locked" });
  assert.deepEqual(exits, [{ code: 4, signal: null, restarting: false }]);
  await other.sidecar.ping();
});

test("a start that cannot succeed is refused, with the reason and without a restart", LIMIT, async () => {
  await assert.rejects(makeSidecar(storage, "unknown").sidecar.start(), {
    name: "SidecarError",
    code: "refused",
    reason: "program not allowed: unknown",
  });
  allowWatch("--no-such-option");
  const { sidecar, exits } = makeSidecar();
  await assert.rejects(sidecar.start(), { code: "exited", message: /--no-such-option/ });
  assert.deepEqual(exits, [{ code: 2, signal: null, restarting: false }]);
});

test("errors of the app's own listeners stop nothing here", LIMIT, async () => {
  const thrown: unknown[] = [];
  const later = globalThis.queueMicrotask;
  globalThis.queueMicrotask = (call) => {
    later(() => {
      try {
        call();
      } catch (error) {
        thrown.push(error); // uncaught, it would end the process and not just be told
      }
    });
  };
  const fail = () => {
    throw "of the app";
  };
  const sidecar = new Sidecar({ storage, onExit: fail, onLog: fail });
  sidecar.on("*", fail);
  const heard = next(sidecar, "started");
  await sidecar.start();
  await heard;
  await sidecar.shutdown();
  globalThis.queueMicrotask = later;
  assert.deepEqual([...new Set(thrown)], ["of the app"]);
});

test("a storage that throws costs the take-over, and no more", LIMIT, async () => {
  const deny = () => {
    throw new Error("denied");
  };
  const logged: string[] = [];
  const denied = { getItem: deny, setItem: deny, removeItem: deny };
  const sidecar = new Sidecar({ storage: denied, onLog: (line) => logged.push(line) });
  await sidecar.start();
  await sidecar.shutdown();
  assert.match(logged[0] ?? "", /reload.*denied/);
});

test("a program that crashes again and again is given up", LIMIT, async () => {
  allow(NAME, [process.execPath, "-e", "process.exit(7)"]);
  const exits: Exit[] = [];
  const sidecar = new Sidecar({ storage, restarts: 1, onExit: (exit) => exits.push(exit) });
  await assert.rejects(sidecar.start(), { code: "exited", message: /code 7/ });
  assert.deepEqual(exits.map((exit) => exit.restarting), [true, false]);
});

test("stopping in the midst of a start leaves nothing running", LIMIT, async () => {
  const { sidecar } = makeSidecar();
  const settled = sidecar.start().catch(() => undefined); // it may have been ready by then
  await sidecar.shutdown();
  await settled;
  assert.deepEqual(running(), []);
});

test("stopping between a crash and the next start ends the start", LIMIT, async () => {
  allow(NAME, [process.execPath, "-e", "process.exit(7)"]);
  const { sidecar, exits } = makeSidecar();
  const refused = assert.rejects(sidecar.start(), { code: "not_running" });
  await until(() => exits.length > 0);
  await sidecar.shutdown();
  await refused;
});

test("starting twice is refused, and the first start goes on", LIMIT, async () => {
  const { sidecar } = makeSidecar();
  const ready = sidecar.start();
  await assert.rejects(sidecar.start(), { code: "busy" });
  await ready;
});

function allowWatch(...options: string[]): void {
  allow(NAME, [...PROGRAM, "watch", root, ...options]);
}

function makeSidecar(memory: MemoryStorage = storage, program: string = NAME) {
  const events: Event[] = [];
  const exits: Exit[] = [];
  const logged: string[] = [];
  const sidecar = new Sidecar({
    program,
    storage: memory,
    onExit: (exit) => exits.push(exit),
    onLog: (line) => logged.push(line),
  });
  sidecar.on("*", (event) => events.push(event));
  return { sidecar, events, exits, logged };
}

function next<T extends Event["type"]>(sidecar: Sidecar, type: T) {
  return new Promise<Extract<Event, { type: T }>>((resolve) => {
    const off = sidecar.on(type, (event) => {
      off();
      resolve(event);
    });
  });
}

/** Waits until one process is left: another one lets go of the lock a little before its end. */
async function isOnlyProcess(pid: number): Promise<void> {
  await until(() => running().length === 1);
  assert.deepEqual(running(), [pid]);
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Writes a workspace with one table as the app would. */
function save(workspace: string, keys: string[]): void {
  const doc = new Y.Doc();
  const rows = new Y.Map(keys.map((key) => [key, new Y.Map([["id", key]])]));
  doc.getMap("tables").set("posts", rows);
  const folder = join(root, "workspaces", workspace, "0");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "workspace.yjs"), Y.encodeStateAsUpdate(doc));
}
