/**
 * Stands in for `@tauri-apps/plugin-shell` under Node: the part of it that the client uses, with
 * real processes and the plugin's habits. The capability decides the arguments; a pid that is no
 * child of this app is ignored; a process outlives the page that started it.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type * as plugin from "@tauri-apps/plugin-shell";

type Terminated = { code: number | null; signal: number | null };
type Listener<T> = (payload: T) => void;
type Cut = (line: string) => string[];

const SIGNALS: Record<string, number> = { SIGKILL: 9, SIGTERM: 15 };
const children = new Map<number, ChildProcessWithoutNullStreams>();
const capability = new Map<string, string[]>();
let page = {};
let cut: Cut = (line) => [`${line}\n`];

/** Allows a program, and fixes the whole command line that it stands for. */
export function allow(name: string, command: string[]): void {
  capability.set(name, command);
}

/** Decides in which pieces the page gets a line of output; the real plugin sends it whole. */
export function deliver(pieces: Cut): void {
  cut = pieces;
}

/** What a reload does: the old page hears nothing any more, its processes go on. */
export function reloadPage(): void {
  page = {};
}

/** Returns the pids of the processes that the app has. */
export function running(): number[] {
  return [...children.keys()];
}

/** What the app's normal exit does: the page is gone, its processes are killed. */
export async function exitApp(): Promise<void> {
  reloadPage();
  const left = [...children.values()];
  for (const child of left) child.kill("SIGKILL");
  await Promise.all(left.map((child) => once(child, "close")));
}

class EventEmitter<Events extends Record<string, unknown>> {
  readonly #page = page;
  readonly #listeners = new Map<keyof Events, Listener<never>[]>();

  on<E extends keyof Events>(event: E, listener: Listener<Events[E]>): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  emit<E extends keyof Events>(event: E, payload: Events[E]): void {
    if (this.#page !== page) return;
    for (const listener of this.#listeners.get(event) ?? []) listener(payload as never);
  }
}

export class Child {
  readonly pid: number;

  constructor(pid: number) {
    this.pid = pid;
  }

  async write(data: string): Promise<void> {
    children.get(this.pid)?.stdin.write(data);
  }

  async kill(): Promise<void> {
    const child = children.get(this.pid);
    children.delete(this.pid);
    child?.kill("SIGKILL");
  }
}

export class Command extends EventEmitter<{ close: Terminated; error: string }> {
  readonly stdout = new EventEmitter<{ data: string }>();
  readonly stderr = new EventEmitter<{ data: string }>();
  readonly #program: string;

  private constructor(program: string) {
    super();
    this.#program = program;
  }

  static create(program: string): Command {
    return new Command(program);
  }

  static sidecar(program: string): Command {
    return new Command(program);
  }

  async spawn(): Promise<Child> {
    const [program, ...args] = capability.get(this.#program) ?? [];
    if (program === undefined) throw `program not allowed: ${this.#program}`; // a string, as there
    const child = spawn(program, args);
    await new Promise((resolve, reject) => child.on("spawn", resolve).on("error", reject));
    const pid = child.pid as number;
    children.set(pid, child);
    child.stdin.on("error", () => undefined); // its reader has ended, as `close` will tell
    createInterface({ input: child.stdout }).on("line", (line) => {
      for (const piece of cut(line)) this.stdout.emit("data", piece);
    });
    createInterface({ input: child.stderr }).on("line", (line) => this.stderr.emit("data", line));
    child.on("close", (code, signal) => {
      children.delete(pid);
      this.emit("close", { code, signal: signal === null ? null : (SIGNALS[signal] ?? 0) });
    });
    return new Child(pid);
  }
}

// The stand-in fits where the plugin does, as far as the client goes.
type Used = { spawn(): Promise<Pick<plugin.Child, "pid" | "write" | "kill">> };
Command satisfies {
  create(program: string, args?: string[]): Used;
  sidecar(program: string, args?: string[]): Used;
};
