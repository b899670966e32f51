import { defineConfig } from "vitest/config";

export default defineConfig({
  // As build.mjs and tsconfig.json do it.
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  test: {
    environment: "happy-dom",
    // Making happy-dom for each file took most of the time: the files of one worker share it, and each finds it empty.
    pool: "threads",
    isolate: false,
    setupFiles: ["testing/fresh_page.ts"],
    testTimeout: 60_000, // for a busy machine
    include: ["**/*.test.{ts,tsx}"],
    exclude: ["node_modules/**"],
    passWithNoTests: true,
  },
});
