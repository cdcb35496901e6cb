// Makes the files of the npm package: the client and its types by tsc, the command by esbuild.
//   node build.mjs TAURI_TS OUTPUT
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const [client, output] = process.argv.slice(2).map((word) => path.resolve(word));
const tsc = path.join(here, "node_modules", "typescript", "bin", "tsc");
const run = (...words) => execFileSync(process.execPath, [tsc, ...words], { cwd: here, stdio: "inherit" });

run("--project", here);

// Beside node_modules, so that the types of the shell plugin are found.
const copy = path.join(here, "sidecar.ts");
mkdirSync(output, { recursive: true });
copyFileSync(client, copy);
try {
  const types = ["--lib", "ES2022,DOM,DOM.Iterable", "--skipLibCheck", "--moduleResolution", "Bundler"];
  const target = ["--target", "ES2022", "--module", "ESNext", "--strict", "--declaration"];
  run(copy, "--ignoreConfig", "--outDir", output, ...types, ...target);
} finally {
  rmSync(copy);
}

const cli = path.join(output, "cli.js");
await build({
  entryPoints: [path.join(here, "src", "cli.ts")],
  outfile: cli,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node18.3",
  mainFields: ["module", "main"],
  legalComments: "inline",
  logLevel: "warning",
});
chmodSync(cli, 0o755);
