import type { AnyModel } from "@anywidget/types";
import { expect, test } from "vitest";
import { figure, link, paragraph, registerFallback } from "./static_fallback.ts";

const STATE = "application/vnd.jupyter.widget-state+json";
const VIEW = "application/vnd.jupyter.widget-view+json";

const entry = (module: string, state: Record<string, unknown>, name = "Model") => ({
  model_name: name,
  model_module: module,
  model_module_version: "2.0.0",
  state,
});
const layout = () => entry("@jupyter-widgets/base", {}, "LayoutModel");
const ours = (layout: string) =>
  entry("anywidget", {
    _anywidget_id: "constellations_widgets.widgets.form.ImageForm",
    _esm: "alert(1)",
    layout: `IPY_MODEL_${layout}`,
  });

/** A notebook whose outputs show these models. */
class Host {
  metadata: Record<string, unknown> = {};
  shown: string[];
  live: Record<string, ReturnType<typeof entry>>;
  #slots: ((sender: unknown, state: string) => void)[] = [];

  constructor(live: Host["live"], shown: string[]) {
    this.live = live;
    this.shown = shown;
  }

  manager = {
    get_state_sync: () => ({ state: this.live }),
    context: {
      saveState: { connect: (slot: (sender: unknown, state: string) => void) => void this.#slots.push(slot) },
      model: {
        cells: { [Symbol.iterator]: () => this.shown.map((id) => this.#cell(id))[Symbol.iterator]() },
        getMetadata: (key: string) => this.metadata[key],
        setMetadata: (key: string, value: unknown) => {
          this.metadata[key] = value;
        },
      },
    },
  };

  /** HTML below the widget of each cell. */
  below = "";

  #cell(id: string) {
    const outputs = [{ data: { [VIEW]: { model_id: id } } }, { data: { "text/html": this.below } }];
    return { outputs: { length: 2, get: (index: number) => outputs[index]! } };
  }

  model = (layout: string) =>
    ({ widget_manager: this.manager, get: () => ({ model_id: layout }) }) as unknown as AnyModel;

  save(): Record<string, ReturnType<typeof entry>> {
    for (const slot of this.#slots) slot(null, "started");
    return (this.metadata.widgets as Record<string, { state: Host["live"] }> | undefined)?.[STATE]?.state ?? {};
  }
}

test("a widget is saved as words, with the box that holds it and without a script", () => {
  const box = entry(
    "@jupyter-widgets/controls",
    { children: ["IPY_MODEL_note", "IPY_MODEL_form"], layout: "IPY_MODEL_lb" },
    "VBoxModel",
  );
  const note = entry("@jupyter-widgets/controls", { value: "A note" }, "HTMLModel");
  const host = new Host({ box, note, form: ours("lf"), lb: layout(), lf: layout(), stranger: note }, ["box"]);
  registerFallback(host.model("lf"), () => paragraph("Run the cell to describe <b>M 51</b>."));
  const saved = host.save();
  expect(Object.keys(saved).sort()).toEqual(["box", "form", "lb", "lf", "note"]);
  expect(saved.box).toEqual(box);
  expect(saved.form!.model_name).toBe("HTMLModel");
  expect(saved.form!.state).toEqual({
    value: '<div class="tex2jax_ignore mathjax_ignore"><p>Run the cell to describe &lt;b&gt;M 51&lt;/b&gt;.</p></div>',
    layout: "IPY_MODEL_lf",
  });
  expect(JSON.stringify(saved)).not.toContain("alert");
});

test("what is no longer shown is not kept, what others have put there is", () => {
  const host = new Host({ form: ours("lf"), lf: layout() }, ["form"]);
  host.metadata.widgets = { [STATE]: { version_major: 2, version_minor: 0, state: { theirs: layout() } } };
  const close = registerFallback(host.model("lf"), () => paragraph("First"));
  expect(Object.keys(host.save()).sort()).toEqual(["form", "lf", "theirs"]);
  close();
  host.live = { next: ours("ln"), ln: layout() };
  host.shown = ["next"];
  expect(Object.keys(host.save()).sort()).toEqual(["ln", "next", "theirs"]);
  expect(host.save().next!.state.value).toContain("Run the cell again");
});

test("a cell that was not run since the notebook was opened keeps what it shows", () => {
  const host = new Host({ form: ours("lf"), lf: layout() }, ["form"]);
  registerFallback(host.model("lf"), () => paragraph("As it was"));
  const before = host.save().form;
  const opened = new Host({ other: ours("lo"), lo: layout() }, ["form", "other"]);
  opened.metadata = host.metadata;
  registerFallback(opened.model("lo"), () => paragraph("New"));
  const saved = opened.save();
  expect(saved.form).toEqual(before);
  expect(Object.keys(saved).sort()).toEqual(["form", "lf", "lo", "other"]);
});

test("a view that has nothing to show yet leaves what was saved before", () => {
  const host = new Host({ form: ours("lf"), lf: layout() }, ["form"]);
  registerFallback(host.model("lf"), () => paragraph("A picture"));
  const before = host.save().form;
  registerFallback(host.model("lf"), () => null);
  expect(host.save().form).toEqual(before);
  const empty = new Host({ form: ours("lf"), lf: layout() }, ["form"]);
  registerFallback(empty.model("lf"), () => null);
  expect(empty.save().form!.state.value).toContain("Run the cell again");
});

test("models that ipywidgets has saved, since the user's settings ask for it, leave without their scripts", () => {
  const host = new Host({ form: ours("lf"), lf: layout(), unseen: ours("lu"), lu: layout() }, ["form"]);
  host.metadata.widgets = { [STATE]: { version_major: 2, version_minor: 0, state: { ...host.live } } };
  registerFallback(host.model("lf"), () => paragraph("Words"));
  const saved = host.save();
  expect(saved.unseen).toBeUndefined();
  expect(JSON.stringify(saved)).not.toContain("alert");
});

test("a preview with a page in its place has no entry, which a converter would show instead", () => {
  const host = new Host({ form: ours("lf"), lf: layout() }, ["form"]);
  registerFallback(host.model("lf"), () => paragraph("Words"));
  host.below = "<p>Another output</p>";
  expect(Object.keys(host.save()).sort()).toEqual(["form", "lf"]);
  host.below = '<div class="cxw-saved" data-cxw-saved="0a">A page</div>';
  expect(host.save()).toEqual({});
});

test("a notebook without widgets of ours is left alone", () => {
  const host = new Host({ form: ours("lf"), lf: layout() }, []);
  registerFallback(host.model("lf"), () => paragraph("Words"));
  host.save();
  expect(host.metadata).toEqual({});
});

test("of two views of one widget the newer one is kept, and the older one when that is closed", () => {
  const host = new Host({ form: ours("lf"), lf: layout() }, ["form"]);
  registerFallback(host.model("lf"), () => paragraph("first"));
  const close = registerFallback(host.model("lf"), () => paragraph("second"));
  expect(host.save().form!.state.value).toContain("second");
  close();
  expect(host.save().form!.state.value).toContain("first");
});

test("where the host gives no way to its file nothing is done", () => {
  for (const manager of [undefined, {}, { get_state_sync: () => ({}) }]) {
    const model = { widget_manager: manager, get: () => undefined } as unknown as AnyModel;
    expect(() => registerFallback(model, () => paragraph("Words"))()).not.toThrow();
  }
});

test("only links to the web are links", () => {
  expect(link("javascript:alert(1)").nodeName).toBe("BDI");
  expect((link("https://example.org/") as HTMLAnchorElement).href).toBe("https://example.org/");
  expect((figure("data:image/jpeg;base64,AA==", "The sky", "words") as HTMLElement).textContent).toBe("words");
});
