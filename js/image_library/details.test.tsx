import { render } from "preact";
import { expect, test } from "vitest";
import { drawn } from "../testing/drawn.ts";
import { Details, type Mode } from "./details.tsx";
import { fakeLink } from "./fake_link.ts";

/** An image that is looked at. */
function shown(mode: Mode) {
  const { kernel, asked } = fakeLink();
  const el = document.body.appendChild(document.createElement("div"));
  const said: string[] = [];
  const image = { id: "1", name: "m51.png" };
  const functions = {
    setMode: (to: Mode) => said.push(to),
    leave: () => said.push("leave"),
    deleted: () => said.push("deleted"),
  };
  render(<Details {...{ kernel, image, mode, ...functions }} revision={1} />, el);
  return { el, said, asked: (kind: string) => asked.filter((one) => one.kind === kind) };
}

const press = (element: Element, key: string) =>
  element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

test("Enter in the name renames, where the page keeps the browser from sending forms, too; Escape does not", async () => {
  const { el, said, asked } = shown("rename");
  const name = el.querySelector("input")!;
  await drawn();
  expect(document.activeElement).toBe(name);
  name.value = "M 51.png";
  name.dispatchEvent(new Event("input", { bubbles: true }));
  press(name, "Escape");
  expect([said, asked("rename")]).toEqual([["closed", "leave"], []]);
  await drawn();
  press(name, "Enter");
  expect(asked("rename").map(({ content }) => content)).toEqual([{ image: "1", name: "M 51.png" }]);
  asked("rename")[0]!.answer();
  await drawn();
  expect(said.slice(2)).toEqual(["closed", "leave"]);
});

test("the question to delete has the focus before another key can come", () => {
  const { el } = shown("delete");
  expect(document.activeElement).toBe(el.querySelector(".cxw-question button"));
});

test("what can't be shown any more is said", async () => {
  const { el, asked } = shown("closed");
  await drawn();
  [...el.querySelectorAll("button")].find((button) => button.textContent === "Show on the sky")!.click();
  asked("sky")[0]!.refuse();
  await drawn();
  expect(el.querySelector("[role=alert]")!.textContent).toBe("no");
});
