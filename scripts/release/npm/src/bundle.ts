/** Reads a bundle, an archive or a folder, and trusts nothing that its checksums do not confirm. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Stop } from "./stop.js";

export const MANIFEST = "bundle.json";
const SUMS = "SHA256SUMS";

/** What `bundle.json` says: each file, below the folder of the bundle, with `/` between names. */
export type Manifest = {
  name: string;
  version: string;
  target: string;
  glibc: string | null;
  files: Record<string, { sha256: string; executable: boolean }>;
};

/** One file to be put into `src-tauri`. */
export type Item = { path: string; content: Buffer; sha256: string; executable: boolean };

export type Bundle = { manifest: Manifest; items: Item[] };

/** Reads the bundle at a path; `sha256` is what its archive must have, else SHA256SUMS beside it. */
export function readBundle(given: string, sha256?: string): Bundle {
  if (!existsSync(given)) throw new Stop(`there is no ${given}`);
  if (statSync(given).isDirectory()) return readFolder(given);
  checkArchive(given, sha256);
  const folder = mkdtempSync(path.join(tmpdir(), "epicenter-sidecar-"));
  try {
    unpack(given, folder);
    return readFolder(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function sha256Of(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

function checkArchive(archive: string, sha256: string | undefined): void {
  const wanted = sha256?.toLowerCase() ?? listedSum(archive);
  const found = sha256Of(readFileSync(archive));
  if (found !== wanted) {
    throw new Stop(`${archive} is not what was published: its SHA-256 is ${found}, not ${wanted}`);
  }
}

function listedSum(archive: string): string {
  const sums = path.join(path.dirname(archive), SUMS);
  if (!existsSync(sums)) {
    throw new Stop(
      `there is no ${sums} to check it against; take it from the same release, or pass --sha256`,
    );
  }
  for (const line of readFileSync(sums, "utf8").split("\n")) {
    const [sum, name] = line.trim().split(/\s+\*?/);
    if (sum !== undefined && name === path.basename(archive)) return sum.toLowerCase();
  }
  throw new Stop(`${sums} does not name ${path.basename(archive)}; pass --sha256`);
}

/** By the system's tar, which Windows 10 and macOS have too; from stdin, as `C:` is a host to some. */
function unpack(archive: string, folder: string): void {
  const input = openSync(archive, "r");
  try {
    execFileSync("tar", ["-xzf", "-"], { cwd: folder, stdio: [input, "ignore", "pipe"] });
  } catch (error) {
    throw new Stop(`tar cannot unpack ${archive}: ${String(error)}`);
  } finally {
    closeSync(input);
  }
}

function readFolder(given: string): Bundle {
  const found = manifestsBelow(given);
  const [place] = found;
  if (place === undefined || found.length > 1) {
    throw new Stop(`${given} is no bundle: ${found.length} of its folders have a ${MANIFEST}`);
  }
  const text = readFileSync(place);
  const manifest = parse(text, place);
  const folder = path.dirname(path.dirname(place));
  const items = Object.entries(manifest.files).map(([name, { sha256, executable }]) => {
    const file = path.join(folder, ...name.split("/"));
    if (!existsSync(file)) throw new Stop(`the bundle is not whole: ${file} is missing`);
    const content = readFileSync(file);
    if (sha256Of(content) !== sha256) {
      throw new Stop(`${file} was changed since the bundle was made`);
    }
    return { path: name, content, sha256, executable };
  });
  return { manifest, items };
}

/** `NAME-lib/bundle.json`, in the folder itself or in one below it, as an archive has it. */
function manifestsBelow(folder: string): string[] {
  const below = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(folder, entry.name));
  const libraries = [folder, ...below].flatMap((place) =>
    readdirSync(place)
      .filter((name) => name.endsWith("-lib"))
      .map((name) => path.join(place, name, MANIFEST)),
  );
  return libraries.filter((place) => existsSync(place));
}

function parse(text: Buffer, place: string): Manifest {
  const manifest = readManifest(text);
  if (manifest === null) throw new Stop(`${place} is no manifest of a bundle`);
  const allowed = [`binaries/`, `${manifest.name}-lib/`];
  for (const name of Object.keys(manifest.files)) {
    const isInside = allowed.some((prefix) => name.startsWith(prefix));
    if (!isInside || name.split("/").some((part) => part === ".." || part === "" || part.includes("\\"))) {
      throw new Stop(`${place} names a file that is not the bundle's: ${name}`);
    }
  }
  return manifest;
}

/** Returns what a manifest says, null where it is none. */
export function readManifest(text: Buffer): Manifest | null {
  try {
    const value: unknown = JSON.parse(text.toString("utf8"));
    const isOne = typeof value === "object" && value !== null && "files" in value && "name" in value;
    return isOne && typeof value.name === "string" ? (value as Manifest) : null;
  } catch {
    return null;
  }
}

/**
 * Returns the bundle under another name, as two apps in one `/usr/bin` need it. On Windows the name
 * of the library's folder is fixed in the program, so only the program has the new one.
 */
export function renamed({ manifest, items }: Bundle, name: string): Bundle {
  if (name === manifest.name) return { manifest, items };
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw new Stop(`${name} is no name for a program`, 2);
  const isWindows = manifest.target.includes("windows");
  const old = manifest.name;
  const moved = items.map((item) => {
    const [first = "", ...rest] = item.path.split("/");
    if (first === "binaries") {
      const content = isWindows ? item.content : Buffer.from(item.content.toString("utf8").replaceAll(old, name));
      const file = rest.join("/").replace(old, name);
      return { ...item, path: `binaries/${file}`, content, sha256: sha256Of(content) };
    }
    if (isWindows) return item;
    const inside = rest.length === 1 && rest[0] === old ? [name] : rest;
    return { ...item, path: [`${name}-lib`, ...inside].join("/") };
  });
  const files = Object.fromEntries(
    moved.map(({ path: file, sha256, executable }) => [file, { sha256, executable }]),
  );
  return { manifest: { ...manifest, name, files }, items: moved };
}

/** Returns the folder of the program's library, as it is called in `src-tauri`. */
export function libraryOf({ manifest }: Bundle): string {
  const names = Object.keys(manifest.files).map((file) => file.split("/")[0] ?? "");
  return names.find((name) => name.endsWith("-lib")) ?? `${manifest.name}-lib`;
}
