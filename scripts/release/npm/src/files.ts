/** Puts the files of a bundle into `src-tauri`: what an earlier install wrote makes room, nothing else. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { type Bundle, type Item, type Manifest, MANIFEST, libraryOf, readManifest, sha256Of } from "./bundle.js";
import { Stop } from "./stop.js";

export type Plan = { write: Item[]; same: Item[]; remove: string[] };

/** Decides for each file; refuses all of it when one is in the way that no install of ours wrote. */
export function planFiles(srcTauri: string, bundle: Bundle, replaceChanged: boolean): Plan {
  const record = `${libraryOf(bundle)}/${MANIFEST}`;
  const before = recordAt(path.join(srcTauri, record));
  const plan: Plan = { write: [], same: [], remove: [] };
  const foreign: string[] = [];
  const changed: string[] = [];
  for (const item of [...bundle.items, recordOf(bundle, record)]) {
    const found = sumAt(path.join(srcTauri, item.path));
    const written = before?.files[item.path]?.sha256;
    if (found === item.sha256) plan.same.push(item);
    else if (found === null || found === written) plan.write.push(item);
    else if (item.path === record && before !== null) plan.write.push(item);
    else if (written === undefined) foreign.push(item.path);
    else if (replaceChanged) plan.write.push(item);
    else changed.push(item.path);
  }
  const wanted = new Set(bundle.items.map((item) => item.path));
  for (const [name, { sha256 }] of Object.entries(before?.files ?? {})) {
    const found = wanted.has(name) || name.includes("..") ? null : sumAt(path.join(srcTauri, name));
    if (found === null) continue;
    if (found === sha256 || replaceChanged) plan.remove.push(name);
    else changed.push(name);
  }
  refuse(srcTauri, foreign, changed);
  return plan;
}

/** Does what was planned; each file is whole at every moment. */
export function placeFiles(srcTauri: string, plan: Plan): void {
  for (const item of plan.write) {
    const file = path.join(srcTauri, item.path);
    mkdirSync(path.dirname(file), { recursive: true });
    writeWhole(file, item.content);
    chmodSync(file, item.executable ? 0o755 : 0o644);
  }
  for (const name of plan.remove) {
    rmSync(path.join(srcTauri, name));
    removeEmpty(srcTauri, path.dirname(name));
  }
}

/** Writes a file beside its place and renames it over. */
export function writeWhole(file: string, content: string | Buffer): void {
  const beside = `${file}.${process.pid}.tmp`;
  writeFileSync(beside, content);
  renameSync(beside, file);
}

function recordOf(bundle: Bundle, name: string): Item {
  const content = Buffer.from(`${JSON.stringify(bundle.manifest, null, 1)}\n`);
  return { path: name, content, sha256: sha256Of(content), executable: false };
}

function recordAt(file: string): Manifest | null {
  return existsSync(file) ? readManifest(readFileSync(file)) : null;
}

/** Returns a file's SHA-256, null where nothing is, and no sum at all of what is no file. */
function sumAt(file: string): string | null {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined) return null;
  return found.isFile() ? sha256Of(readFileSync(file)) : "no file";
}

function refuse(srcTauri: string, foreign: string[], changed: string[]): void {
  const list = (names: string[]): string => names.map((name) => `\n  ${path.join(srcTauri, name)}`).join("");
  if (foreign.length > 0) {
    throw new Stop(
      `not installed, as this did not write what is there; move it away, or choose a --name:${list(foreign)}`,
    );
  }
  if (changed.length > 0) {
    throw new Stop(
      `not installed, as these were changed since an install wrote them; pass --replace to lose that:${list(changed)}`,
    );
  }
}

function removeEmpty(srcTauri: string, folder: string): void {
  while (folder !== "." && readdirSync(path.join(srcTauri, folder)).length === 0) {
    rmdirSync(path.join(srcTauri, folder));
    folder = path.dirname(folder);
  }
}
