import { type ComponentChild, render } from "preact";
import { useRef } from "preact/hooks";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { OpenedRecord } from "../protocol.ts";
import { drawn } from "../testing/drawn.ts";
import { useOpenedBelow } from "./opened_below.ts";

const CLOSED: OpenedRecord = { what: "", id: "", phase: "", message: "" };
const FORM: OpenedRecord = { what: "form", id: "1", phase: "open", message: "" };

function List({ opened }: { opened: OpenedRecord }) {
  const root = useRef<HTMLDivElement>(null);
  const note = useOpenedBelow(root, opened);
  return (
    <div ref={root}>
      <button type="button" onClick={note}>
        Edit
      </button>
    </div>
  );
}

const HEADING = (
  <h4 tabIndex={-1} data-focus>
    Scene
  </h4>
);

let box: HTMLElement;
let list: HTMLElement;
const button = () => list.querySelector("button")!;
const frames = async () => {
  for (let count = 0; count < 3; count++) await new Promise(requestAnimationFrame);
};

async function show(opened: OpenedRecord) {
  render(<List opened={opened} />, list);
  await drawn();
}

/** The kernel's widget is drawn below the list. */
function draw(content: ComponentChild): HTMLElement {
  const below = document.createElement("div");
  below.className = "cxw";
  render(content, below);
  return box.appendChild(below);
}

beforeEach(async () => {
  box = document.body.appendChild(document.createElement("div"));
  box.className = "widget-box";
  list = box.appendChild(document.createElement("div"));
  list.className = "cxw";
  await show(CLOSED);
});

afterEach(() => {
  render(null, list);
  box.remove();
});

test("the focus goes into the form that a button has opened, once it is drawn, and back when it is closed", async () => {
  const earlier = draw(HEADING);
  button().focus();
  button().click();
  earlier.remove();
  await show(FORM);
  await frames();
  draw(
    <div class="cxw-preview" data-path="height">
      <input />
    </div>,
  );
  const form = draw(
    <div data-path="note">
      <input />
    </div>,
  );
  await frames();
  expect(document.activeElement).toBe(form.querySelector("input"));
  await show(CLOSED);
  expect(document.activeElement).toBe(button());
});

test("what another page or Python has opened moves nothing, nor what is opened while the focus has moved on", async () => {
  draw(HEADING);
  button().focus();
  await show(FORM);
  await frames();
  expect(document.activeElement).toBe(button());
  await show(CLOSED);
  button().click();
  const elsewhere = document.body.appendChild(document.createElement("button"));
  elsewhere.focus();
  await show(FORM);
  draw(HEADING);
  await frames();
  expect(document.activeElement).toBe(elsewhere);
  await show(CLOSED);
  expect(document.activeElement).toBe(elsewhere);
  elsewhere.remove();
});
