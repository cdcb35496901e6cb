// Bundles TypeScript for a browser page or, with the stand-in for the shell plugin, for Node:
//   node bundle.mjs page|guide|node ENTRY OUTFILE
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const [kind, entry, outfile] = process.argv.slice(2);
const kinds = {
  page: { target: "safari16" },
  guide: { target: "es2020" }, // as Vite before 7: no top-level await
  node: {
    platform: "node",
    alias: { "@tauri-apps/plugin-shell": path.join(here, "shell-plugin.ts") },
  },
};
await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  format: "esm",
  logLevel: "warning",
  nodePaths: [path.join(here, "node_modules")],
  ...kinds[kind],
});
