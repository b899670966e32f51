import { expect, test, vi } from "vitest";
import { FakeModel } from "../shared/fake_model.ts";
import { drawn } from "../testing/drawn.ts";
import library from "./index.tsx";

vi.stubGlobal(
  "ResizeObserver",
  class {
    observe() {}
    disconnect() {}
  },
);

const STATE = {
  ...{ phase: "ready", message: "", signed_out: "", session: 0, busy: "", note: "", url: "" },
  ...{ base_url: "http://x", count: 3, revision: 1, uploads: [] },
};

/** The library in a page, with a kernel that has three images. */
function shown() {
  const fake = new FakeModel({ state: STATE });
  fake.send = ({ id, kind }) => {
    const answers: Record<string, object> = {
      rows: { rows: ["a", "b", "c"].map((name) => [name, `${name}.png`]), count: 3 },
      about: { name: "a.png", url: "" },
      rename: { ok: false, message: "Token has expired." },
      thumb: { error: "Not an image." },
    };
    queueMicrotask(() => fake.receive({ id, ok: true, ...answers[kind as string] }));
  };
  const el = document.body.appendChild(document.createElement("div"));
  library.render({ model: fake.model, el });
  return { el, say: (more: object) => fake.change("state", { ...STATE, ...more }) };
}

test("whoever has to sign in meanwhile finds all as it was, what was refused as well, and the keyboard there", async () => {
  const { el, say } = shown();
  await drawn();
  el.querySelectorAll<HTMLElement>("[role=gridcell]")[0]!.focus();
  await drawn();
  [...el.querySelectorAll("button")].find((button) => button.textContent === "Rename")!.click();
  await drawn();
  const [grid, name] = [el.querySelector("[role=grid]"), el.querySelector<HTMLInputElement>(".cxw-details input")!];
  name.value = "new.png";
  name.dispatchEvent(new Event("input", { bubbles: true }));
  await drawn();
  name.form!.requestSubmit();
  say({ signed_out: "Token has expired." });
  await drawn();
  expect(el.textContent).toContain("Sign in below");
  expect([el.querySelector("[role=grid]"), el.querySelector(".cxw-details input")]).toEqual([grid, name]);
  expect(el.querySelector(".cxw-rename [role=alert]")!.textContent).toBe(
    "The image was not renamed to “new.png”. Token has expired.",
  );
  name.blur(); // they sign in elsewhere
  say({ session: 1 });
  await drawn();
  expect(document.activeElement).toBe(name);
});
