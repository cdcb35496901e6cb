/** The entries of `tauri.conf.json` and the capability; the rest of the text stays as it is. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { type JSONPath, type ParseError, applyEdits, modify, parse } from "jsonc-parser";
import { Stop } from "./stop.js";

const CONFIG = "tauri.conf.json";
const OTHERS = ["tauri.conf.json5", "Tauri.toml"];
const PLATFORMS = ["linux", "macos", "windows"].map((system) => `tauri.${system}.conf.json`);
const STARTS = new Set(["shell:allow-spawn", "shell:allow-execute"]);

/** A file to be written, and in words what is new in it. */
export type Edit = { file: string; text: string; what: string };

export type Wanted = { name: string; library: string; window: string | undefined };

export type Configuration = {
  edits: Edit[];
  /** What is as it should be already. */
  kept: string[];
  /** What has to be done by hand. */
  byHand: string[];
};

/** Tells whether a folder is an app's `src-tauri`. */
export function isSrcTauri(folder: string): boolean {
  return [CONFIG, ...OTHERS].some((name) => existsSync(path.join(folder, name)));
}

/** Works out which files have to change, and how; writes nothing. */
export function configure(srcTauri: string, wanted: Wanted): Configuration {
  const found: Configuration = { edits: [], kept: [], byHand: [] };
  const main = path.join(srcTauri, CONFIG);
  if (!existsSync(main)) {
    const other = OTHERS.find((name) => existsSync(path.join(srcTauri, name))) ?? CONFIG;
    configureByHand(path.join(srcTauri, other), wanted, found);
    return found;
  }
  const text = readFileSync(main, "utf8");
  const config = objectIn(text, main);
  const identifier = at(config, ["identifier"]);
  if (typeof identifier !== "string") {
    throw new Stop(`${main} has no "identifier", which names the app's data folder`);
  }
  const label = at(config, ["app", "windows", 0, "label"]);
  const window = wanted.window ?? (typeof label === "string" ? label : "main");
  const allowed = capability(srcTauri, config, { ...wanted, window }, identifier, found);
  bundleEntries(main, text, wanted, allowed, found);
  for (const name of PLATFORMS) {
    const file = path.join(srcTauri, name);
    if (existsSync(file)) platformEntries(file, wanted, found);
  }
  return found;
}

function bundleEntries(
  file: string,
  before: string,
  wanted: Wanted,
  capabilityName: string | null,
  found: Configuration,
): void {
  let text = withEntry(before, file, ["bundle", "externalBin"], programOf(wanted));
  text = withEntry(text, file, ["bundle", "resources"], `${wanted.library}/`);
  let what = "bundle.externalBin and bundle.resources";
  const listed = at(objectIn(text, file), ["app", "security", "capabilities"]);
  if (capabilityName !== null && Array.isArray(listed) && listed.length > 0) {
    text = withEntry(text, file, ["app", "security", "capabilities"], capabilityName);
    what += ", app.security.capabilities";
  }
  if (text === before) found.kept.push(`${path.basename(file)}: ${what}`);
  else found.edits.push({ file, text, what });
}

/** A list in a platform's own file takes the place of the list in `tauri.conf.json`. */
function platformEntries(file: string, wanted: Wanted, found: Configuration): void {
  const before = readFileSync(file, "utf8");
  const bundle = at(objectIn(before, file), ["bundle"]);
  const entries: [string, string][] = [
    ["externalBin", programOf(wanted)],
    ["resources", `${wanted.library}/`],
  ];
  let text = before;
  for (const [key, value] of entries) {
    if (at(bundle, [key]) !== undefined) text = withEntry(text, file, ["bundle", key], value);
  }
  if (text !== before) {
    found.edits.push({ file, text, what: "its lists take the place of those in tauri.conf.json" });
  }
}

/** Adds one entry to a list, or a pair to a map of resources, where it is not there yet. */
function withEntry(text: string, file: string, place: JSONPath, entry: string): string {
  const found = at(objectIn(text, file), place);
  if (Array.isArray(found)) {
    return found.includes(entry) ? text : edited(text, [...place, found.length], entry, true);
  }
  if (typeof found === "object" && found !== null) {
    return entry in found ? text : edited(text, [...place, entry], entry);
  }
  if (found !== undefined && found !== null) {
    throw new Stop(`${file}: ${place.join(".")} is neither a list nor a map`);
  }
  return edited(text, place, [entry]);
}

function edited(text: string, place: JSONPath, value: unknown, isArrayInsertion = false): string {
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? "  ";
  const formattingOptions = {
    insertSpaces: !indent.startsWith("\t"),
    tabSize: indent.startsWith("\t") ? 1 : indent.length,
    eol: text.includes("\r\n") ? "\r\n" : "\n",
  };
  return applyEdits(text, modify(text, place, value, { formattingOptions, isArrayInsertion }));
}

/** Returns the identifier of the capability that is to be written, null where there is one. */
function capability(
  srcTauri: string,
  config: object,
  wanted: Wanted & { window: string },
  identifier: string,
  found: Configuration,
): string | null {
  const folder = path.join(srcTauri, "capabilities");
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => /\.(json5?|toml)$/.test(name)) : [];
  const texts = files.map((name) => readFileSync(path.join(folder, name), "utf8"));
  const inline = JSON.stringify(at(config, ["app", "security", "capabilities"]) ?? null);
  const taken = [...files, CONFIG].find((_, n) => allows(texts[n] ?? inline, programOf(wanted)));
  if (taken !== undefined) {
    found.kept.push(`${taken} allows ${programOf(wanted)}`);
    const text = texts[files.indexOf(taken)] ?? inline;
    if (!text.includes(identifier)) {
      found.byHand.push(`${taken} does not name ${identifier}, this app's identifier: see its args`);
    }
    return null;
  }
  const isTaken = (name: string): boolean =>
    files.includes(`${name}.json`) || texts.some((text) => text.includes(`"identifier": "${name}"`));
  const name = ["sidecar", wanted.name].find((one) => !isTaken(one));
  if (name === undefined) {
    throw new Stop(`not installed: ${folder} has a sidecar.json and a ${wanted.name}.json that start something else`);
  }
  found.edits.push({
    file: path.join(folder, `${name}.json`),
    text: capabilityText(name, wanted, identifier),
    what: `the window "${wanted.window}" may start it on the data of ${identifier}`,
  });
  return name;
}

/** Tells whether a capability allows to start a program; other formats are looked at as text. */
function allows(text: string, program: string): boolean {
  const value: unknown = parse(text);
  if (typeof value !== "object" || value === null) return text.includes(`"${program}"`);
  const entries = (one: unknown): unknown[] => (Array.isArray(one) ? one : []);
  const capabilities = [value, ...entries(value), ...entries(at(value, ["capabilities"]))];
  const permissions = capabilities.flatMap((one) => entries(at(one, ["permissions"])));
  const starts = permissions.filter((one) => STARTS.has(String(at(one, ["identifier"]))));
  return starts.flatMap((one) => entries(at(one, ["allow"]))).some((one) => at(one, ["name"]) === program);
}

/** The capability as docs/tauri.md shows it. */
export function capabilityText(name: string, wanted: Wanted & { window: string }, identifier: string): string {
  const value = {
    identifier: name,
    description: "The main window may start the sidecar on this app's own data, talk to it and end it.",
    windows: [wanted.window],
    permissions: [
      {
        identifier: "shell:allow-spawn",
        allow: [
          { name: programOf(wanted), sidecar: true, args: ["watch", "--identifier", identifier] },
        ],
      },
      "shell:allow-stdin-write",
      "shell:allow-kill",
    ],
  };
  const onOneLine = /\[\s+("[^"]*"(?:,\s+"[^"]*")*)\s+\]/g;
  const text = JSON.stringify(value, null, 2);
  return `${text.replace(onOneLine, (list) => list.replace(/\s+/g, " ").replace("[ ", "[").replace(" ]", "]"))}\n`;
}

function configureByHand(file: string, wanted: Wanted, found: Configuration): void {
  const text = readFileSync(file, "utf8");
  const entries = [programOf(wanted), `${wanted.library}/`].filter((entry) => !text.includes(entry));
  if (entries.length === 0) found.kept.push(`${path.basename(file)} names the program and its library`);
  else {
    found.byHand.push(
      `${path.basename(file)} is not JSON: add "${programOf(wanted)}" to bundle.externalBin and ` +
        `"${wanted.library}/" to bundle.resources, and write the capability of docs/tauri.md`,
    );
  }
}

function programOf(wanted: Wanted): string {
  return `binaries/${wanted.name}`;
}

function objectIn(text: string, file: string): object {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  if (errors.length > 0 || typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Stop(`${file} is no JSON object; mend it first`);
  }
  return value;
}

function at(value: unknown, place: JSONPath): unknown {
  let found = value;
  for (const key of place) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Record<string | number, unknown>)[key];
  }
  return found;
}
