/** A page that uses the guide's modules as they stand, and mounts beside them. */
import { pyInvoke } from "tauri-plugin-pytauri-api";
import { refresh } from "./ask.js";
import { listTables } from "./mirrors.js";
import { ready } from "./start.js";

function report(what: Record<string, unknown>): void {
  void pyInvoke("report", what);
}

addEventListener("error", ({ message }) => report({ uncaught: message }));
addEventListener("unhandledrejection", ({ reason }) => report({ uncaught: String(reason) }));
document.body.textContent = "mounted";
report({ hello: navigator.userAgent });
void ready.then(async (value) => {
  await refresh();
  await listTables();
  report({ ready: value, mounted: document.body.textContent });
});
