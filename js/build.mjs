// Bundles every widget folder (one with an index.ts or index.tsx) into constellations_widgets/static/<folder>.js,
// plus <folder>.css where the widget imports style sheets. `--watch` rebuilds on every change.

import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { widgetStyles } from "./widget_styles.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = join(here, "..", "constellations_widgets", "static");
const watch = process.argv.includes("--watch");

function entryPoints() {
  const entries = {};
  for (const folder of readdirSync(here, { withFileTypes: true })) {
    if (!folder.isDirectory() || folder.name === "node_modules") continue;
    const index = ["index.ts", "index.tsx"].map((name) => join(here, folder.name, name)).find(existsSync);
    if (index) entries[folder.name] = index;
  }
  return entries;
}

function printSizes(metafile) {
  for (const path of Object.keys(metafile.outputs).sort()) {
    if (path.endsWith(".map")) continue;
    const file = join(here, path);
    const kilobytes = gzipSync(readFileSync(file), { level: 9 }).length / 1000;
    console.log(`${basename(file).padEnd(16)} ${kilobytes.toFixed(1).padStart(7)} kB gzipped`);
  }
}

// A bundle whose widget is gone must not stay in the wheel.
function removeOthers(metafile) {
  const built = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
  if (!existsSync(outdir)) return;
  for (const name of readdirSync(outdir)) {
    if (/\.(js|css)$/.test(name) && !built.has(name)) rmSync(join(outdir, name));
  }
}

const report = {
  name: "report",
  setup(build) {
    build.onEnd((result) => {
      if (result.metafile && result.errors.length === 0) printSizes(result.metafile);
    });
  },
};

const options = {
  absWorkingDir: here,
  entryPoints: entryPoints(),
  outdir,
  bundle: true,
  format: "esm",
  // Syntax for all that run modules, so that an older browser gets as far as our own words; CSS for those in README.md.
  target: ["es2018", "chrome111", "firefox121", "safari16.4"],
  platform: "browser",
  jsx: "automatic",
  jsxImportSource: "preact",
  define: { "process.env.NODE_ENV": '"production"' },
  minify: !watch,
  sourcemap: watch ? "inline" : false,
  legalComments: "none",
  metafile: true,
  logLevel: "info",
  supported: { nesting: false }, // nested rules are written out, for older browsers
  plugins: [widgetStyles(here), report],
};

if (watch) {
  const context = await esbuild.context(options);
  await context.watch();
  console.log(`Watching; bundles go to ${relative(process.cwd(), outdir)}. Ctrl-C stops.`);
} else {
  const result = await esbuild.build(options).catch(() => process.exit(1)); // esbuild has printed the error
  removeOthers(result.metafile);
}
