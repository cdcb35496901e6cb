/** The page of the test app: does what the tests say, and tells them what it hears. */
import { listen } from "@tauri-apps/api/event";
import { pyInvoke } from "tauri-plugin-pytauri-api";
import { Sidecar, type Target } from "../../../sidecar/host/tauri.js";
import { Notes } from "./notes.js";

type Order = {
  id: number;
  do: string;
  workspace: string;
  table: string;
  keys: string[];
  target: Target;
  byPath: boolean;
};

const notes = new Map<string, Notes>();
let sidecar = newSidecar(false);

const actions: Record<string, (order: Order) => unknown> = {
  open: async ({ workspace, table }) => {
    notes.set(workspace, await Notes.open(workspace, table));
  },
  edit: ({ workspace, table, keys }) => opened(workspace).edit(table, keys),
  saved: ({ workspace }) => opened(workspace).saved(),
  start: ({ byPath }) => {
    sidecar = newSidecar(byPath);
    return sidecar.start();
  },
  sync: ({ target }) => sidecar.sync(target),
  status: () => sidecar.status(),
  ping: () => sidecar.ping(),
  shutdown: () => sidecar.shutdown(),
  kill: () => sidecar.kill(),
  reload: () => void setTimeout(() => location.reload()),
};

function newSidecar(byPath: boolean): Sidecar {
  const made = new Sidecar({
    ...(byPath ? { program: "epicenter-sidecar", external: false } : {}),
    onLog: (log) => report({ log }),
    onExit: (exit) => report({ exit }),
  });
  made.on("*", (event) => report({ event }));
  return made;
}

function opened(workspace: string): Notes {
  const found = notes.get(workspace);
  if (found === undefined) throw new Error(`workspace ${workspace} is not open`);
  return found;
}

function report(what: Record<string, unknown>): void {
  void pyInvoke("report", what);
}

async function obey(order: Order): Promise<void> {
  try {
    const action = actions[order.do];
    if (action === undefined) throw new Error(`no action ${order.do}`);
    report({ reply: order.id, value: (await action(order)) ?? null });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    report({ reply: order.id, error: String(error), code });
  }
}

addEventListener("error", ({ message }) => report({ uncaught: message }));
addEventListener("unhandledrejection", ({ reason }) => report({ uncaught: String(reason) }));
await listen<Order>("do", ({ payload }) => void obey(payload));
report({ hello: navigator.userAgent });
