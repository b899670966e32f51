import { defineConfig } from "vitest/config";

export default defineConfig({
  // As build.mjs and tsconfig.json do it.
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  test: {
    environment: "happy-dom",
    include: ["**/*.test.{ts,tsx}"],
    exclude: ["node_modules/**"],
    passWithNoTests: true,
  },
});
