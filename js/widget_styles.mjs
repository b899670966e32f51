// An esbuild plugin that makes the rules of a widget's own style sheets stronger than those of shared ones.
//
// A page holds a copy of the shared sheets for each widget that it shows, and anywidget inserts them in the order in which the
// widgets are made. With equal specificity the copy of a later widget would override the rules of an earlier one. Cascade layers
// are no way out: all rules of the host, which are in no layer, would win against them.

import { readFileSync } from "node:fs";
import { relative } from "node:path";

const SHARED = /^(shared|panel)[\\/]/; // the panel is around its widgets, so that its rules begin outside of them
const ALONE = /^(preview|stand_alone)[\\/]/; // the preview uses only the shared colors, and a page of its own has no others

/** The rules of a sheet, each with the specificity of two classes more: `.a` becomes `.cxw.cxw .a`, `.cxw .a` the same. */
export function strengthened(css) {
  const inside = css.replace(/(^|[{},;]|\*\/)(\s*)\.cxw (?=[.:#[a-z])/g, "$1$2& ");
  return `.cxw.cxw {\n${inside}\n}\n`;
}

/** `root` is the folder of the widgets. */
export const widgetStyles = (root) => ({
  name: "widget styles",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, ({ path }) => {
      const name = relative(root, path);
      const css = readFileSync(path, "utf8");
      return { contents: SHARED.test(name) || ALONE.test(name) ? css : strengthened(css), loader: "css" };
    });
  },
});
