import { render } from "preact";
import { expect, test } from "vitest";
import type { CreditsTree } from "../protocol.ts";
import { draw } from "./credits.tsx";

function drawn(tree: CreditsTree): string {
  const place = document.createElement("div");
  render(<p>{draw(tree)}</p>, place);
  return place.querySelector("p")?.outerHTML.replace(/^<p>|<\/p>$/g, "") ?? "";
}

test("what the server keeps is drawn", () => {
  expect(drawn(["By ", { tag: "b", children: ["NASA"] }, { tag: "br", children: [] }, "& ESA"])).toBe(
    "By <b>NASA</b><br>&amp; ESA",
  );
});

test("a link opens elsewhere and tells nothing", () => {
  expect(drawn([{ tag: "a", href: "https://example.org", children: ["x"] }])).toBe(
    '<a href="https://example.org" target="_blank" rel="noopener noreferrer nofollow">x</a>',
  );
});

test("other elements and addresses become their text", () => {
  const tree = [
    { tag: "script", children: ["a"] },
    { tag: "a", href: "javascript:alert(1)", children: ["b"] },
    { tag: "img", children: ["<img onerror=c>"] },
  ];
  expect(drawn(tree)).toBe("<span>a</span><span>b</span><span>&lt;img onerror=c&gt;</span>");
});
