// The part of tauri.ts for tauri-plugin-sql, over SQLite itself: a stand-in for the plugin that, as
// the plugin does, keeps one pool for each path until somebody closes it.
//
// MODULES: a folder whose node_modules has better-sqlite3; FOLDER: has old.sqlite and new.sqlite, of
// 3 and 5 rows in `notes`.
import assert from "node:assert/strict";
import { copyFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";

import { SqlMirror, type Event, type SqlDatabase } from "../../sidecar/host/tauri";

type Opened = {
  prepare(sql: string): { all(...values: unknown[]): unknown };
  close(): void;
};
type Driver = new (path: string, options: { readonly: boolean }) => Opened;

const folder = String(process.env["FOLDER"]);
const path = join(folder, "tables.sqlite");
const Driver = createRequire(join(String(process.env["MODULES"]), "x.js"))("better-sqlite3") as Driver;
const pools = new Map<string, Opened>();
let loads = 0;

async function load(): Promise<SqlDatabase> {
  loads += 1;
  await later();
  if (!pools.has(path)) pools.set(path, new Driver(path, { readonly: true }));
  return {
    async select<T>(query: string, bindValues: unknown[] = []): Promise<T> {
      await later();
      const pool = pools.get(path);
      if (pool === undefined) throw "attempted to acquire a connection on a closed pool";
      return pool.prepare(query).all(...bindValues) as T;
    },
    async close(): Promise<boolean> {
      await later();
      pools.get(path)?.close();
      return pools.delete(path);
    },
  };
}

function later(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}

function publish(name: string): void {
  copyFileSync(join(folder, name), join(folder, "candidate"));
  renameSync(join(folder, "candidate"), path);
}

class Events {
  #listeners = new Set<(event: never) => void>();

  on(_type: string, listener: (event: never) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  rebuilt(document: string): void {
    const event = { type: "rebuilt", path: document } as Event;
    for (const listener of this.#listeners) listener(event as never);
  }

  get heard(): number {
    return this.#listeners.size;
  }
}

const COUNT = "SELECT count(*) AS rows FROM notes";

async function rows(mirror: SqlMirror): Promise<number> {
  const [first] = await mirror.select<{ rows: number }[]>(COUNT);
  return first?.rows ?? -1;
}

test("after a rebuild the next question reads the new mirror", async () => {
  publish("old.sqlite");
  const events = new Events();
  const mirror = new SqlMirror(events, "/w/workspace.yjs", load);
  assert.equal(await rows(mirror), 3);
  publish("new.sqlite");
  events.rebuilt("/another/workspace.yjs");
  assert.equal(await rows(mirror), 3);
  events.rebuilt("/w/workspace.yjs");
  assert.equal(await rows(mirror), 5);
  assert.deepEqual(await mirror.select("SELECT n FROM notes WHERE n = ?", [4]), [{ n: 4 }]);
  await mirror.close();
  assert.equal(events.heard, 0);
  assert.equal(pools.size, 0);
  await assert.rejects(rows(mirror), /closed/);
});

test("no question fails or waits for ever while mirrors come", async () => {
  publish("old.sqlite");
  const events = new Events();
  const mirror = new SqlMirror(events, "/w/workspace.yjs", load);
  const asked: Promise<number>[] = [];
  for (let turn = 0; turn < 60; turn += 1) {
    publish(turn % 2 ? "old.sqlite" : "new.sqlite");
    events.rebuilt("/w/workspace.yjs");
    if (turn % 3 === 0) events.rebuilt("/w/workspace.yjs");
    asked.push(rows(mirror), rows(mirror));
    if (turn % 4 === 0) await later();
  }
  for (const count of await Promise.all(asked)) assert.ok(count === 3 || count === 5);
  assert.equal(await rows(mirror), 3);
  await mirror.close();
});

test("a mirror that cannot be loaded is loaded by a later question", async () => {
  rmSync(path);
  const mirror = new SqlMirror(new Events(), "/w/workspace.yjs", load);
  const before = loads;
  await assert.rejects(rows(mirror));
  publish("new.sqlite");
  assert.equal(await rows(mirror), 5);
  assert.equal(loads, before + 2);
  await mirror.close();
});
