import { expect, test } from "vitest";
import type { SceneState } from "../../protocol.ts";
import sceneEditor from "../../scene_editor/index.tsx";
import { drawn } from "../../testing/drawn.ts";
import { FakeModel } from "../fake_model.ts";

const A = { id: "a".repeat(24), name: "Lowest", opacity: 1 };
const B = { id: "b".repeat(24), name: "Top", opacity: 0.5 };
const C = { id: "c".repeat(24), name: "Another" };

function scene(more: object = {}, form: object = {}): SceneState {
  return {
    phase: "editing",
    progress: "",
    waiting: false,
    message: "",
    review: null,
    made: null,
    exists: false,
    open: true,
    blocked: "",
    changed: [],
    earlier: [],
    choices: { images: [A, C], backgrounds: [], message: "" },
    preview: false,
    ...more,
    form: {
      text: "",
      outgoing_url: "",
      published: false,
      background_id: "",
      view: [],
      summary: "none",
      taken: 0,
      layers: [A, B],
      fixed: false,
      message: "",
      warnings: [],
      ...form,
    },
  };
}

async function shown(state: SceneState) {
  const fake = new FakeModel({ scene: state });
  const el = document.body.appendChild(document.createElement("div"));
  sceneEditor.render({ model: fake.model, el });
  await drawn();
  const button = (words: string) =>
    [...el.querySelectorAll("button")].find((it) => (it.getAttribute("aria-label") ?? it.textContent) === words)!;
  const last = () => fake.sent.at(-1) as Record<string, unknown>;
  return { el, button, last, fake };
}

test("layers are shown topmost first; each is moved, faded and removed", async () => {
  const { el, button, last } = await shown(scene());
  expect([...el.querySelectorAll("li bdi")].map((it) => it.textContent)).toEqual(["Top", "Lowest"]);
  expect([button("Move up: Top").disabled, button("Move down: Lowest").disabled]).toEqual([true, true]);
  button("Move down: Top").click();
  expect(last()).toEqual({ kind: "scene", action: "move_layer", of: B.id, value: -1 });
  const opacity = el.querySelector<HTMLInputElement>('input[aria-label="Opacity of Top"]')!;
  opacity.value = "25";
  opacity.dispatchEvent(new Event("input", { bubbles: true }));
  expect(last()).toEqual({ kind: "scene", action: "fade_layer", of: B.id, value: 0.25 });
  button("Remove: Top").click();
  expect(last()).toEqual({ kind: "scene", action: "remove_layer", of: B.id });
  expect(document.activeElement).toBe(el.querySelector("[data-add]"));
});

test("an image is added by its title or its id; one that is there is not offered", async () => {
  const { el, button, last, fake } = await shown(scene());
  const input = el.querySelector<HTMLInputElement>("[data-add]")!;
  expect([...el.querySelectorAll("datalist option")].map((it) => it.getAttribute("value"))).toEqual([
    `Another · ${C.id}`,
  ]);
  const type = async (text: string) => {
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await drawn();
  };
  await type("Anoth");
  expect(button("Add").disabled).toBe(true);
  expect(el.textContent).toContain("Choose the image from the list.");
  await type("nothing");
  expect(el.textContent).toContain("Enter the image's id.");
  await type("another"); // the title alone, which only one has
  button("Add").click();
  expect(last()).toEqual({ kind: "scene", action: "add_layer", of: C.id });
  await type(`Another · ${C.id}`);
  button("Add").click();
  expect(last()).toEqual({ kind: "scene", action: "add_layer", of: C.id });
  await type("D".repeat(24));
  const sent = fake.sent.length;
  input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
  expect(fake.sent.slice(sent)).toEqual([{ kind: "scene", action: "add_layer", of: "d".repeat(24) }]); // and no review
});

test("a scene at the server has fixed images; its changes are named, and those of an earlier session are offered", async () => {
  const made = {
    id: "1",
    record_url: "https://x/scene/1",
    scene_url: null,
    edit_url: null,
    dashboard_url: null,
    published: true,
  };
  const state = scene({ exists: true, made, changed: ["text", "view"], earlier: ["background_id"] }, { fixed: true });
  const { el, button, last } = await shown(state);
  expect(el.querySelector("[data-add]")).toBeNull();
  expect(el.textContent).toContain("Changed: Text, View. Nothing is saved yet.");
  expect(el.textContent).toContain("left changes of this scene unsaved: Background.");
  button("Restore").click();
  expect(last()).toEqual({ kind: "scene", action: "restore" });
  button("Unpublish…").click();
  expect(last()).toEqual({ kind: "scene", action: "publish", value: false });
});

test("an image that is typed and not added is named before the scene is reviewed", async () => {
  const { el, button, fake } = await shown(scene());
  const adder = el.querySelector<HTMLInputElement>("[data-add]")!;
  const type = async (text: string) => {
    adder.value = text;
    adder.dispatchEvent(new Event("input", { bubbles: true }));
    await drawn();
  };
  const review = async () => {
    el.querySelector("form")!.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await drawn();
  };
  const reviews = () => fake.sent.filter((it) => it.action === "review").length;
  await type("Another");
  await review();
  expect([reviews(), document.activeElement]).toEqual([0, adder]);
  expect(el.querySelector('[role="alert"]')!.textContent).toContain("This image is not in the scene.");
  await type("");
  expect(el.querySelector('[role="alert"]')).toBeNull();
  await type("Another");
  button("Add").click();
  await drawn();
  await review();
  expect([reviews(), adder.value]).toEqual([1, ""]);
});
