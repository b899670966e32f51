// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { expect, test } from "vitest";
import { strengthened } from "./widget_styles.mjs";

/** The selectors of a widget's sheet as they are built. */
function selectors(css: string): string[] {
  const { code } = transformSync(strengthened(css), { loader: "css", supported: { nesting: false } });
  return [...code.matchAll(/^\s*([^@{}]+) \{$/gm)].map((match) => match[1]!.trim());
}

test("each rule of a widget is stronger than any shared one, whichever sheet comes last", () => {
  expect(selectors(".cxw-form :disabled { color: red }")).toEqual([".cxw.cxw .cxw-form :disabled"]);
  expect(selectors(".a { b: c } .cxw .d,\n.cxw button.e { f: g }")).toEqual([
    ".cxw.cxw .a",
    ".cxw.cxw .d,\n.cxw.cxw button.e",
  ]);
  expect(selectors("/* why */\n.cxw .a:is(:hover, .b) { c: d }")).toEqual([".cxw.cxw .a:is(:hover, .b)"]);
});

test("rules in a query are, too", () => {
  expect(selectors("@container (max-width: 700px) { .a { b: c } }\n@media print { .cxw .a { b: c } }")).toEqual([
    ".cxw.cxw .a",
    ".cxw.cxw .a",
  ]);
});

test("no widget's sheet has rules for the classes of another widget", () => {
  const widgets = ["batch_publisher", "handle_images", "image_library", "sign_in"];
  const read = (widget: string, ending: RegExp) => {
    const folder = fileURLToPath(new URL(`./${widget}/`, import.meta.url));
    const files = readdirSync(folder).filter((name) => ending.test(name) && !name.includes(".test."));
    return files.map((name) => readFileSync(folder + name, "utf8")).join("\n");
  };
  for (const widget of widgets) {
    const rules = selectors(read(widget, /\.css$/)).flatMap((rule) => rule.split(",\n"));
    const first = new Set(rules.map((rule) => /\.cxw\.cxw .*?\.(cxw-[a-z-]+)/.exec(rule)?.[1]));
    for (const other of widgets.filter((name) => name !== widget)) {
      const used = new Set(read(other, /\.tsx$/).match(/cxw-[a-z-]+/g));
      expect([...used].filter((name) => first.has(name))).toEqual([]);
    }
  }
});
