/**
 * Starts `epicenter-sidecar watch` from a Tauri app and speaks its protocol.
 *
 * One file, no dependency but `@tauri-apps/plugin-shell`. It is the npm package
 * `epicenter-sidecar`; without that, copy it into the app:
 *
 *     epicenter-sidecar protocol --typescript-client > src/sidecar.ts
 *
 *     const sidecar = new Sidecar();
 *     sidecar.on("rebuilt", (event) => reopenMirrorOf(event.path));
 *     sidecar.start().catch((error: SidecarError) => console.warn(error.code, error.message));
 *
 * Start it in one window only: there is one watcher per data folder. Whatever its promises reject
 * with is a `SidecarError`.
 */
import { Child, Command as ShellCommand } from "@tauri-apps/plugin-shell";

// --- protocol types, printed by `epicenter-sidecar protocol --typescript` ---
export type Code = "empty" | "torn" | "undecodable" | "v2" | "foreign" | "too_large" | "too_deep"
  | "memory" | "timeout" | "crashed" | "denied" | "foreign_mirror" | "disk_full" | "read_only" |
  "busy" | "gone" | "root" | "locked" | "protocol" | "internal";
export type Doc = { workspace: string | null; epoch: number | null; path: string };
export type Status = { workspace: string | null; epoch: number | null; path: string;
  mirror: string; state: "damaged" | "in_step" | "missing" | "stale" | "unreadable";
  code: Code | null; name: string | null; icon: string | null; current: boolean; deleted: boolean;
  tables: number; rows: number; problems: number; whole: boolean; warm: boolean; bytes: number;
  mirror_mtime_ms: number | null; document_mtime_ms: number; why: string | null };
export type Command = { type: "ping" | "shutdown" | "status" | "sync"; id?: string | number;
  workspace?: string; epoch?: number; force?: boolean; path?: string };
export type Event =
  | { type: "started"; v: 1; time: string; id?: string | number; pid: number; version: string;
    root: string[] }
  | { type: "ready"; v: 1; time: string; id?: string | number; pid: number; version: string;
    root: string[]; documents: number; rebuilt: number; unchanged: number; failed: number }
  | { type: "rebuilt"; v: 1; time: string; id?: string | number; workspace: string | null;
    epoch: number | null; path: string;
    reason: "changed" | "damaged" | "elsewhere" | "forced" | "foreign" | "format" | "missing" | "options";
    changed: string[]; removed: string[]; rows: number; problems: number; regressed: boolean;
    ms: number; warm: boolean;
    counts?: { [table: string]: { added: number; changed: number; removed: number } };
    row_ids?: { [table: string]: { added: string[]; changed: string[]; removed: string[]; truncated: boolean } }
    }
  | { type: "unchanged"; v: 1; time: string; id?: string | number; workspace: string | null;
    epoch: number | null; path: string; reason: "bytes" | "content" }
  | { type: "collapsed"; v: 1; time: string; id?: string | number; workspace: string | null;
    epoch: number | null; path: string; rows_before: number; kept: string; rows: number;
    why: string }
  | { type: "failed"; v: 1; time: string; id?: string | number; code: Code; message: string;
    retry_ms: number | null; workspace?: string | null; epoch?: number | null; path?: string;
    holder_pid?: number }
  | { type: "gone"; v: 1; time: string; id?: string | number; workspace: string | null;
    epoch: number | null; path: string }
  | { type: "waiting"; v: 1; time: string; id?: string | number; root: string }
  | { type: "pong"; v: 1; time: string; id?: string | number }
  | { type: "synced"; v: 1; time: string; id?: string | number; rebuilt: number;
    unchanged: number; failed: number }
  | { type: "status"; v: 1; time: string; id?: string | number; documents: Status[] }
  | { type: "stopped"; v: 1; time: string; id?: string | number;
    reason: "parent" | "shutdown" | "signal" | "stdin" | "stdout" };
// --- end of the protocol types ---

/** The event of one type: `EventOf<"rebuilt">`. */
export type EventOf<T extends Event["type"]> = Extract<Event, { type: T }>;

/** Which documents a `sync` is about: all of them when empty. */
export type Target = Pick<Command, "workspace" | "epoch" | "force">;

/** How a process of the sidecar ended, and whether another one is about to start. */
export type Exit = { code: number | null; signal: number | null; restarting: boolean };

export type SidecarOptions = {
  /** The program's name in the capability; default `binaries/epicenter-sidecar`. */
  program?: string;
  /** True (default): a program of `bundle.externalBin`. False: a `cmd` of the capability. */
  external?: boolean;
  /** Values for the capability's validated arguments; its fixed ones are filled in by Tauri. */
  args?: string[];
  /** How often in a row it is started again after a crash; default 5. */
  restarts?: number;
  /** Remembers the process across a page reload; default `sessionStorage`. */
  storage?: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  /** Gets each line of the log, and of output that is no event. */
  onLog?: (line: string) => void;
  /** Called when a process of the sidecar has ended. */
  onExit?: (exit: Exit) => void;
};

/**
 * The protocol's codes and the client's own: the program has ended, is not running, or Tauri
 * refused to start it, to pass a command on or to kill it.
 */
export type ErrorCode = Code | "exited" | "not_running" | "refused";

/** A start or a command that failed; of `refused`, `reason` is what Tauri threw. */
export class SidecarError extends Error {
  readonly code: ErrorCode;
  readonly reason: unknown;

  constructor(code: ErrorCode, message: string, reason?: unknown) {
    super(message);
    this.name = "SidecarError";
    this.code = code;
    this.reason = reason;
  }
}

const STORAGE_KEY = "epicenter-sidecar";
const STARTING = "starting";
const STOP_MS = 3_000;
const RESTART_MS = 1_000;
const RESTART_CEILING_MS = 30_000;
const TAKE_OVER_MS = 10_000;
const TAKE_OVER_RETRY_MS = 300;
const REPLY_MS = { pong: 10_000, status: 60_000, synced: 600_000 };
const LOCKED_EXIT = 4;
/** Exit codes that another start would only repeat: stopped, usage, root unusable, locked. */
const FINAL_EXITS: ReadonlySet<number | null> = new Set([0, 2, 3, LOCKED_EXIT]);

type Reply = keyof typeof REPLY_MS;
type Waiting = {
  reply: Reply;
  resolve: (event: Event) => void;
  reject: (error: SidecarError) => void;
};
type Starting = { resolve: (event: EventOf<"ready">) => void; reject: (error: SidecarError) => void };
type Run = { child: Child; ended: Promise<void> };

export class Sidecar {
  readonly #options: SidecarOptions;
  readonly #storage: SidecarOptions["storage"];
  readonly #listeners = new Map<string, Set<(event: Event) => void>>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #prefix = Math.random().toString(36).slice(2);
  #serial = 0;
  #active = false;
  #spawning: Promise<void> | undefined;
  #run: Run | null = null;
  #starting: Starting | null = null;
  #restart: ReturnType<typeof setTimeout> | undefined;
  #crashes = 0;
  #refusal: EventOf<"failed"> | null = null;
  #lastLog = "";
  #takingOverUntil = 0;
  #predecessor = 0;

  constructor(options: SidecarOptions = {}) {
    this.#options = options;
    this.#storage = options.storage ?? sessionStorageIfAny();
  }

  /** Calls `listener` for each event of a type, or of all with `"*"`; returns how to end that. */
  on<T extends Event["type"]>(type: T, listener: (event: EventOf<T>) => void): () => void;
  on(type: "*", listener: (event: Event) => void): () => void;
  on(type: string, listener: (event: never) => void): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    listeners.add(listener as (event: Event) => void);
    return () => void listeners.delete(listener as (event: Event) => void);
  }

  /**
   * Starts the program, and keeps it started through crashes and page reloads.
   *
   * Resolves with `ready`: every mirror that can be in step is, and may be opened. Rejects when
   * the program cannot be started, or has ended in a way that a restart would only repeat. An app
   * can do without mirrors: catch that, and go on.
   */
  start(): Promise<EventOf<"ready">> {
    if (this.#active) {
      return Promise.reject(new SidecarError("busy", "this sidecar has been started already"));
    }
    this.#active = true;
    this.#crashes = 0;
    return new Promise((resolve, reject) => {
      this.#starting = { resolve, reject };
      this.#begin();
    });
  }

  /** Brings documents up to date now; resolves when that is done, with the counts. */
  sync(target: Target = {}, timeoutMs?: number): Promise<EventOf<"synced">> {
    return this.#request("sync", "synced", target, timeoutMs);
  }

  /** Asks for the state of every document. */
  async status(timeoutMs?: number): Promise<Status[]> {
    return (await this.#request("status", "status", {}, timeoutMs)).documents;
  }

  /** Resolves when the program answers. */
  async ping(timeoutMs?: number): Promise<void> {
    await this.#request("ping", "pong", {}, timeoutMs);
  }

  /** Asks the program to stop and resolves when its process is gone; after 3 s it is killed. */
  async shutdown(): Promise<void> {
    const run = await this.#deactivate();
    if (run === null) return;
    const killing = this.#endProcess(run.child);
    await run.ended;
    clearTimeout(killing);
  }

  /** Kills the process. Mirrors survive this whole; `shutdown` is the polite way. */
  async kill(): Promise<void> {
    const run = await this.#deactivate();
    if (run === null) return;
    await run.child.kill().catch((reason: unknown) => {
      throw refused("kill the sidecar", reason);
    });
    await run.ended;
  }

  #begin(): void {
    this.#spawning = this.#spawn().catch((reason: unknown) => {
      this.#giveUp(refused("start the sidecar", reason));
    });
  }

  async #spawn(): Promise<void> {
    this.#refusal = null;
    this.#lastLog = "";
    this.#takeOver();
    const { program = "binaries/epicenter-sidecar", external = true, args = [] } = this.#options;
    const command = external
      ? ShellCommand.sidecar(program, args)
      : ShellCommand.create(program, args);
    const lines = new Lines((line) => this.#receive(line));
    command.stdout.on("data", (chunk) => lines.push(chunk));
    command.stderr.on("data", (chunk) => this.#log(chunk));
    command.on("error", (message) => this.#log(message));
    const closed = new Promise<Omit<Exit, "restarting">>((resolve) => command.on("close", resolve));
    this.#remember(STARTING);
    const child = await command.spawn();
    this.#remember(String(child.pid));
    this.#run = { child, ended: closed.then((exit) => this.#closed(child, exit)) };
  }

  /**
   * Ends what this window started before its page was reloaded: nobody hears that one now.
   * Where the reload came in the midst of a start, only the lock knows the pid: see `#refused`.
   */
  #takeOver(): void {
    const left = this.#remembered();
    if (left === null || this.#takingOverUntil > 0) return;
    this.#takingOverUntil = Date.now() + TAKE_OVER_MS;
    if (left !== STARTING) this.#endPredecessor(Number(left));
  }

  #endPredecessor(pid: number): void {
    if (pid === this.#predecessor) return;
    this.#predecessor = pid;
    this.#endProcess(new Child(pid)); // of no effect unless it is a child of this very app
  }

  /** Asks a process to stop, and kills it if it still is a child of this app 3 s later. */
  #endProcess(child: Child): ReturnType<typeof setTimeout> {
    const gone = (): void => undefined; // the plugin refuses what has ended in the meantime
    child.write('{"type":"shutdown"}\n').catch(gone);
    return setTimeout(() => void child.kill().catch(gone), STOP_MS);
  }

  async #deactivate(): Promise<Run | null> {
    this.#active = false;
    clearTimeout(this.#restart);
    await this.#spawning;
    if (this.#run === null) this.#giveUp(new SidecarError("not_running", "it was told to stop"));
    return this.#run;
  }

  #closed(child: Child, { code, signal }: Omit<Exit, "restarting">): void {
    this.#run = null;
    const ended =
      this.#refusal?.message ??
      `the sidecar ended (code ${code}, signal ${signal}): ${this.#lastLog}`;
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new SidecarError("exited", ended));
    }
    const delayMs = this.#active ? this.#restartDelay(code) : null;
    guarded(() => this.#options.onExit?.({ code, signal, restarting: delayMs !== null }));
    if (delayMs !== null) {
      this.#restart = setTimeout(() => this.#begin(), delayMs);
      return;
    }
    if (this.#remembered() === String(child.pid)) this.#remember(null);
    this.#giveUp(new SidecarError(this.#refusal?.code ?? "exited", ended));
  }

  /** Returns in how many milliseconds to start again, null when that would not help. */
  #restartDelay(code: number | null): number | null {
    if (code === LOCKED_EXIT && Date.now() < this.#takingOverUntil) return TAKE_OVER_RETRY_MS;
    if (FINAL_EXITS.has(code) || this.#crashes >= (this.#options.restarts ?? 5)) return null;
    return Math.min(RESTART_MS * 2 ** this.#crashes++, RESTART_CEILING_MS);
  }

  /** Remembers a process across a page reload; what cannot be stored is not taken over. */
  #remember(process: string | null): void {
    try {
      if (process === null) this.#storage?.removeItem(STORAGE_KEY);
      else this.#storage?.setItem(STORAGE_KEY, process);
    } catch (error) {
      this.#log(`a page reload will not be survived: ${String(error)}`);
    }
  }

  #remembered(): string | null {
    try {
      return this.#storage?.getItem(STORAGE_KEY) ?? null;
    } catch {
      return null; // `#remember` says so
    }
  }

  #giveUp(error: SidecarError): void {
    this.#active = false;
    this.#starting?.reject(error);
    this.#starting = null;
  }

  #receive(line: string): void {
    const event = parseEvent(line);
    if (event === null) {
      this.#log(line);
      return;
    }
    if (event.type === "started") this.#takingOverUntil = 0;
    if (event.type === "ready") this.#becameReady(event);
    if (event.type === "failed" && ["root", "locked"].includes(event.code)) this.#refused(event);
    this.#answer(event);
    for (const listener of [...this.#listenersOf(event.type), ...this.#listenersOf("*")]) {
      guarded(() => listener(event));
    }
  }

  #becameReady(event: EventOf<"ready">): void {
    this.#crashes = 0;
    this.#starting?.resolve(event);
    this.#starting = null;
  }

  #refused(event: EventOf<"failed">): void {
    this.#refusal = event;
    if (event.holder_pid !== undefined && Date.now() < this.#takingOverUntil) {
      this.#endPredecessor(event.holder_pid);
    }
  }

  #answer(event: Event): void {
    const waiting = event.id === undefined ? undefined : this.#waiting.get(String(event.id));
    if (waiting === undefined) return;
    if (event.type === waiting.reply) waiting.resolve(event);
    else if (event.type === "failed") {
      waiting.reject(new SidecarError(event.code, event.message));
    }
  }

  #listenersOf(type: string): Iterable<(event: Event) => void> {
    return this.#listeners.get(type) ?? [];
  }

  #request<T extends Reply>(
    type: Command["type"],
    reply: T,
    fields: Target,
    timeoutMs: number = REPLY_MS[reply],
  ): Promise<EventOf<T>> {
    const child = this.#run?.child;
    if (child === undefined) {
      return Promise.reject(new SidecarError("not_running", "the sidecar is not running"));
    }
    const id = `${this.#prefix}-${++this.#serial}`;
    const command: Command = { ...fields, type, id };
    let timer: ReturnType<typeof setTimeout> | undefined;
    return new Promise<Event>((resolve, reject) => {
      this.#waiting.set(id, { reply, resolve, reject });
      timer = setTimeout(() => {
        reject(new SidecarError("timeout", `no reply to ${type} within ${timeoutMs} ms`));
      }, timeoutMs);
      child.write(`${JSON.stringify(command)}\n`).catch((reason: unknown) => {
        reject(refused(`send ${type} to the sidecar`, reason));
      });
    }).finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }) as Promise<EventOf<T>>;
  }

  #log(text: string): void {
    this.#lastLog = text.trimEnd();
    guarded(() => this.#options.onLog?.(this.#lastLog));
  }
}

/** What is needed of a `Database` of `@tauri-apps/plugin-sql`. */
export type SqlDatabase = {
  select<T>(query: string, bindValues?: unknown[]): Promise<T>;
  close(): Promise<boolean>;
};

/**
 * A mirror through `@tauri-apps/plugin-sql`, always the newest one.
 *
 * The plugin keeps its connections open, and a rebuilt mirror is a new file: so after each
 * `rebuilt` of its document the mirror is closed, once all that was asked has been answered, and
 * loaded again by the next question. (Not needed for mirrors that are written `--in-place`.)
 *
 *     const mirror = new SqlMirror(sidecar, documentPath, () => Database.load(`sqlite:${mirrorPath}`));
 *     const titles = await mirror.select<{ title: string }[]>("SELECT title FROM projects");
 */
export class SqlMirror {
  readonly #load: () => Promise<SqlDatabase>;
  readonly #forget: () => void;
  readonly #asked = new Set<Promise<unknown>>();
  #database: Promise<SqlDatabase> | null = null;
  #closing: Promise<void> | null = null;
  #isClosed = false;

  /** `path` is the document's, as events have it. */
  constructor(sidecar: Pick<Sidecar, "on">, path: string, load: () => Promise<SqlDatabase>) {
    this.#load = load;
    this.#forget = sidecar.on("rebuilt", (event) => {
      if (event.path === path) void this.reopen();
    });
  }

  /** Asks the newest mirror. */
  async select<T>(query: string, bindValues: unknown[] = []): Promise<T> {
    while (this.#closing !== null) await this.#closing;
    if (this.#isClosed) throw new SidecarError("not_running", "the mirror is closed");
    const answer = this.#loaded().then((database) => database.select<T>(query, bindValues));
    const asked = answer.then(nothing, nothing);
    this.#asked.add(asked);
    void asked.then(() => this.#asked.delete(asked));
    return answer;
  }

  /** Has the next question load the mirror again; resolves when the old one is closed. */
  reopen(): Promise<void> {
    this.#closing ??= this.#close().finally(() => {
      this.#closing = null;
    });
    return this.#closing;
  }

  /** Closes the mirror for good. */
  async close(): Promise<void> {
    this.#forget();
    this.#isClosed = true;
    await this.reopen();
  }

  #loaded(): Promise<SqlDatabase> {
    if (this.#database === null) {
      const loading = this.#load();
      this.#database = loading;
      loading.catch(() => {
        if (this.#database === loading) this.#database = null; // the next question tries again
      });
    }
    return this.#database;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#asked);
    const database = this.#database;
    this.#database = null;
    await database?.then((one) => one.close()).catch(nothing); // what did not load is not open
  }
}

function nothing(): void {}

/** What Tauri's plugins throw are strings; some are of a permission that a capability lacks. */
function refused(what: string, reason: unknown): SidecarError {
  const said = reason instanceof Error ? reason.message : String(reason);
  return new SidecarError("refused", `Tauri refused to ${what}: ${said}`, reason);
}

/** Calls what belongs to the app: an error of its own is uncaught there, and stops nothing here. */
function guarded(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** A page may be kept from its storage, which then throws when it is asked for. */
function sessionStorageIfAny(): SidecarOptions["storage"] {
  try {
    return globalThis.sessionStorage;
  } catch {
    return undefined;
  }
}

/** Puts lines together: a chunk may hold half a line or several, with or without the line end. */
class Lines {
  readonly #emit: (line: string) => void;
  #rest = "";

  constructor(emit: (line: string) => void) {
    this.#emit = emit;
  }

  push(chunk: string): void {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop() ?? "";
    // The plugin may strip the line end. No part of an event is an event, so this is safe.
    if (parseEvent(this.#rest) !== null) {
      lines.push(this.#rest);
      this.#rest = "";
    }
    for (const line of lines) {
      if (line.trim() !== "") this.#emit(line);
    }
  }
}

/** Returns the event of one line, null when the line is no event. */
function parseEvent(line: string): Event | null {
  if (!line.startsWith("{") || !line.trimEnd().endsWith("}")) return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "type" in value ? (value as Event) : null;
  } catch {
    return null;
  }
}
