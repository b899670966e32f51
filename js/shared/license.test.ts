import { expect, test } from "vitest";
import { matching } from "./license.tsx";

const LICENSES = [
  { id: "CC-BY-4.0", name: "Creative Commons Attribution 4.0 International", meaning: "" },
  { id: "CC0-1.0", name: "Creative Commons Zero v1.0 Universal", meaning: "" },
  { id: "0BSD", name: "BSD Zero Clause License", meaning: "" },
  { id: "MIT", name: "MIT License", meaning: "" },
];
const ids = (text: string) => matching(LICENSES, text).map(({ id }) => id);

test("nothing typed shows the list as it is given", () => {
  expect(ids("")).toEqual(["CC-BY-4.0", "CC0-1.0", "0BSD", "MIT"]);
});

test("ids and names are searched, whatever the case and the hyphens", () => {
  expect(ids("cc by")).toEqual(["CC-BY-4.0"]);
  expect(ids("zero")).toEqual(["CC0-1.0", "0BSD"]);
});

test("an id that begins with the text comes first", () => {
  expect(ids("0b")).toEqual(["0BSD"]);
  expect(ids("mit")).toEqual(["MIT"]);
});

test("what matches nothing shows nothing", () => {
  expect(ids("xyz")).toEqual([]);
});
