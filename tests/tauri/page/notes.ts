/** The app's own part: workspaces as Yjs documents, saved the way the real app saves them. */
import { appLocalDataDir, join } from "@tauri-apps/api/path";
import { mkdir, readFile, writeFile } from "@tauri-apps/plugin-fs";
import * as Y from "yjs";

const TYPES = {
  title: "text",
  body: "ytext",
  count: "integer",
  price: "real",
  done: "boolean",
  tags: "tags",
  meta: "json",
  due: "date",
} as const;
const NULLABLE = new Set(["body", "meta", "due"]);
const TEXTS = ["plain", "Ünïcödé — 日本語", "🦊\u200d🔥", 'quote " and \' and \\', "a\nb\r\nc\u2028d", ""];

export type Rows = Record<string, Record<string, Record<string, unknown>>>;

/** One open workspace: each update of its document is saved at once and not waited for. */
export class Notes {
  readonly #doc = new Y.Doc({ gc: false });
  readonly #path: string;
  readonly #saves = new Set<Promise<void>>();

  private constructor(path: string) {
    this.#path = path;
  }

  /** Makes a workspace with one table, or opens the one that is there. */
  static async open(workspace: string, table: string): Promise<Notes> {
    const folder = await join(await appLocalDataDir(), "workspaces", workspace, "0");
    await mkdir(folder, { recursive: true });
    const notes = new Notes(await join(folder, "workspace.yjs"));
    const before = await readFile(notes.#path).catch(() => null);
    if (before !== null) Y.applyUpdate(notes.#doc, before);
    notes.#doc.on("update", () => notes.#save());
    if (before === null) notes.#define(table);
    return notes;
  }

  /** Adds rows to a table or changes them, one update and so one save for each. */
  edit(table: string, keys: string[]): void {
    for (const key of keys) this.#doc.transact(() => this.#editRow(table, key));
  }

  /** Waits for the saves under way, and returns what the file then holds. */
  async saved(): Promise<Rows | null> {
    while (this.#saves.size > 0) await Promise.all(this.#saves);
    const doc = new Y.Doc({ gc: false });
    try {
      Y.applyUpdate(doc, await readFile(this.#path));
    } catch {
      return null; // un-awaited saves have overwritten each other's bytes
    }
    return doc.getMap("tables").toJSON() as Rows;
  }

  #save(): void {
    const save = writeFile(this.#path, Y.encodeStateAsUpdate(this.#doc));
    this.#saves.add(save);
    void save.finally(() => this.#saves.delete(save));
  }

  #define(table: string): void {
    this.#doc.transact(() => {
      const fields = Object.entries(TYPES).map(([field, type]) => [
        field,
        NULLABLE.has(field) ? { type, name: field, nullable: true } : { type, name: field },
      ]);
      const definition = { name: table, icon: null, description: "", fields: Object.fromEntries(fields) };
      this.#doc.getMap("definition").set("tables", { [table]: definition });
      this.#doc.getMap("tables").set(table, new Y.Map());
    });
  }

  #editRow(table: string, key: string): void {
    const rows = this.#doc.getMap("tables").get(table) as Y.Map<Y.Map<unknown>>;
    const row = rows.get(key) ?? rows.set(key, new Y.Map([["id", key]]));
    const turn = ((row.get("count") as number | undefined) ?? rows.size) + 1;
    const text = TEXTS[turn % TEXTS.length];
    row.set("title", `${text} ${turn}`);
    row.set("body", turn % 3 === 0 ? null : new Y.Text(`${key}: ${text}`));
    row.set("count", turn);
    row.set("price", turn + 0.5);
    row.set("done", turn % 2 === 0);
    row.set("tags", [text, key]);
    row.set("meta", turn % 4 === 0 ? null : { key, [`${text}`]: [turn, null, true] });
    row.set("due", turn % 5 === 0 ? null : "2026-01-22T10:20:30.123Z|America/New_York");
  }
}
