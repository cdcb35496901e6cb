#!/usr/bin/env node
/** The command of the npm package: `epicenter-sidecar install BUNDLE` puts the program into an app. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { type Bundle, libraryOf, readBundle, renamed } from "./bundle.js";
import { type Configuration, configure, isSrcTauri } from "./config.js";
import { type Plan, placeFiles, planFiles, writeWhole } from "./files.js";
import { Stop } from "./stop.js";

const HELP = `Usage: npx epicenter-sidecar install BUNDLE [--app FOLDER] [--name NAME] [--window LABEL]
                                     [--sha256 SUM] [--replace] [--dry-run]

Puts the program into a Tauri app's src-tauri, with its entries in tauri.conf.json and the
capability that lets the page start it. Once more changes nothing; a newer BUNDLE replaces what
an older one wrote. What something else wrote is never touched.

BUNDLE is epicenter-sidecar-VERSION-TARGET.tar.gz of a release, with SHA256SUMS beside it, or the
folder that is in it, or what make bundle made.

  --app FOLDER    the app's src-tauri (default: ./src-tauri, or this folder)
  --name NAME     call the program so; do that before you ship .deb or .rpm packages
  --window LABEL  the window that may start it (default: the first of tauri.conf.json)
  --sha256 SUM    what the archive must have, where there is no SHA256SUMS
  --replace       replace files that were changed since an install wrote them, for instance signed
  --dry-run       say what would be done
  --version       print the version

Exit: 0 all is in place, 1 something is in the way or left to do, 2 usage.

Example: npx epicenter-sidecar install ~/Downloads/epicenter-sidecar-0.1.0-x86_64-unknown-linux-gnu.tar.gz
`;

const OPTIONS = {
  app: { type: "string" },
  name: { type: "string" },
  window: { type: "string" },
  sha256: { type: "string" },
  replace: { type: "boolean" },
  "dry-run": { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
} as const;

function main(): number {
  const { values, positionals } = words();
  if (values.version === true) {
    say(`epicenter-sidecar ${ownVersion()}`);
    return 0;
  }
  if (values.help === true || positionals[0] === "help") {
    process.stdout.write(HELP);
    return 0;
  }
  const [command, given, ...more] = positionals;
  if (command !== "install") throw new Stop(`${command ?? "nothing"} is no command; try: npx epicenter-sidecar install BUNDLE`, 2);
  if (given === undefined || more.length > 0) throw new Stop("which bundle? npx epicenter-sidecar install BUNDLE; see --help", 2);

  const srcTauri = appFolder(values.app);
  const read = readBundle(given, values.sha256);
  const bundle = renamed(read, values.name ?? read.manifest.name);
  const wanted = { name: bundle.manifest.name, library: libraryOf(bundle), window: values.window };
  const plan = planFiles(srcTauri, bundle, values.replace === true);
  const configuration = configure(srcTauri, wanted);
  if (values["dry-run"] !== true) {
    placeFiles(srcTauri, plan);
    for (const { file, text } of configuration.edits) {
      mkdirSync(path.dirname(file), { recursive: true });
      writeWhole(file, text);
    }
  }
  report(srcTauri, bundle, plan, configuration, values["dry-run"] === true);
  return configuration.byHand.length > 0 ? 1 : 0;
}

function words() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new Stop(`${error instanceof Error ? error.message : String(error)}; see --help`, 2);
  }
}

function appFolder(given: string | undefined): string {
  const tried = given === undefined ? ["src-tauri", "."] : [given, path.join(given, "src-tauri")];
  const found = tried.find(isSrcTauri);
  if (found === undefined) {
    throw new Stop(`there is no tauri.conf.json in ${tried.join(" or ")}; run this in the app's folder, or pass --app`);
  }
  return found;
}

function report(srcTauri: string, bundle: Bundle, plan: Plan, configuration: Configuration, isDry: boolean): void {
  const { name, version, target, glibc } = bundle.manifest;
  say(`${name} ${version} for ${target}${glibc === null ? "" : `, glibc ${glibc} or newer`}, in ${srcTauri}`);
  const line = (done: string, what: string): void => say(`  ${done.padEnd(8)} ${what}`);
  const does = (past: string, would: string): string => (isDry ? would : past);
  const bytes = plan.write.reduce((sum, item) => sum + item.content.length, 0);
  if (plan.write.length > 0) {
    line(does("wrote", "writes"), `${plan.write.length} files in binaries and ${libraryOf(bundle)}, ${(bytes / 1e6).toFixed(0)} MB`);
  }
  if (plan.same.length > 0) line("kept", `${plan.same.length} files that are there already`);
  if (plan.remove.length > 0) line(does("removed", "removes"), `${plan.remove.length} files of an older install`);
  for (const { file, what } of configuration.edits) {
    line(does("wrote", "writes"), `${path.relative(srcTauri, file)}: ${what}`);
  }
  for (const what of configuration.kept) line("kept", what);
  if (version !== ownVersion()) {
    say(`\nThe client is of ${ownVersion()}, the bundle of ${version}: take both from one release.`);
  }
  if (!isThisMachine(target)) say(`\nThe bundle is for ${target}, and not for this machine.`);
  say(isDry ? "\nNothing was written." : `\nNext:\n${nextSteps(srcTauri, configuration).map((step) => `  ${step}`).join("\n")}`);
}

function nextSteps(srcTauri: string, { byHand }: Configuration): string[] {
  const cargo = path.join(srcTauri, "Cargo.toml");
  const hasPlugin = existsSync(cargo) && readFileSync(cargo, "utf8").includes("tauri-plugin-shell");
  return [
    ...byHand,
    ...(hasPlugin ? [] : ["npm run tauri add shell    (the plugin that starts programs, on both sides)"]),
    'import { Sidecar } from "epicenter-sidecar", and start it: docs/tauri.md, part 2',
  ];
}

function isThisMachine(target: string): boolean {
  const systems: Record<string, string> = { linux: "linux", darwin: "apple-darwin", win32: "windows" };
  const machines: Record<string, string> = { x64: "x86_64", arm64: "aarch64" };
  return target.includes(systems[process.platform] ?? "?") && target.startsWith(machines[process.arch] ?? "?");
}

/** Beside `dist`, as the package is laid out. */
function ownVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  process.exitCode = main();
} catch (error) {
  if (error instanceof Stop) {
    process.stderr.write(`epicenter-sidecar: ${error.message}\n`);
    process.exitCode = error.code;
  } else if (error instanceof Error && "syscall" in error) {
    process.stderr.write(`epicenter-sidecar: ${error.message}\n`);
    process.exitCode = 1;
  } else throw error;
}
