import { expect, test } from "vitest";
import { isolated, withoutMathJax } from "./foreign.ts";

test.each([
  ["M 51 – 😀", "M 51 – 😀"],
  ["", ""],
  ["a\u202egpj.exe", "\u2068agpj.exe\u2069"],
  ["end\u2069 \u202ethe isolation", "\u2068end the isolation\u2069"],
  ["שלום", "\u2068שלום\u2069"],
])("%j stands in a sentence as %j", (text, shown) => {
  expect(isolated(text)).toBe(shown);
});

test("MathJax leaves a widget alone", () => {
  const element = document.createElement("div");
  withoutMathJax(element);
  expect([...element.classList]).toEqual(["tex2jax_ignore", "mathjax_ignore"]);
});
