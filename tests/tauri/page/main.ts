/** The page of the test app: does what the tests say, and tells them what it hears. */
import { listen } from "@tauri-apps/api/event";
import { pyInvoke } from "tauri-plugin-pytauri-api";
import { Sidecar, SidecarError, type Target } from "../../../sidecar/host/tauri.js";
import { Notes } from "./notes.js";

type Order = {
  id: number;
  do: string;
  workspace: string;
  table: string;
  keys: string[];
  target: Target;
  byPath: boolean;
  program?: string;
};

const notes = new Map<string, Notes>();
let sidecar = newSidecar(false);

const actions: Record<string, (order: Order) => unknown> = {
  open: async ({ workspace, table }) => {
    notes.set(workspace, await Notes.open(workspace, table));
  },
  edit: ({ workspace, table, keys }) => opened(workspace).edit(table, keys),
  saved: ({ workspace }) => opened(workspace).saved(),
  start: ({ byPath, program }) => {
    sidecar = newSidecar(byPath, program);
    return sidecar.start();
  },
  sync: ({ target }) => sidecar.sync(target),
  status: () => sidecar.status(),
  ping: () => sidecar.ping(),
  shutdown: () => sidecar.shutdown(),
  kill: () => sidecar.kill(),
  reload: () => void setTimeout(() => location.reload()),
};

function newSidecar(byPath: boolean, program?: string): Sidecar {
  const made = new Sidecar({
    ...(program === undefined ? {} : { program }),
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
    const isOurs = error instanceof SidecarError;
    const code = isOurs ? error.code : null;
    const reason = isOurs ? typeof error.reason : null;
    report({ reply: order.id, error: String(error), code, isOurs, reason });
  }
}

addEventListener("error", ({ message }) => report({ uncaught: message }));
addEventListener("unhandledrejection", ({ reason }) => report({ uncaught: String(reason) }));
await listen<Order>("do", ({ payload }) => void obey(payload));
report({ hello: navigator.userAgent });
