/**
 * What a saved notebook shows in a widget's place when there is no kernel: text, and a picture where there is one, without a script.
 *
 * A notebook's file keeps the models of its widgets only if the user's settings enable that; without them each widget is an error on the
 * next day. So when JupyterLab or Notebook 7 save, the page puts a plain HTML widget of the same id into the file's metadata, in the
 * place where ipywidgets would have put the model. A running kernel has the real model, and then this one is not used.
 */

import type { AnyModel } from "@anywidget/types";
import { withoutMathJax } from "./foreign.ts";
import { pageWide } from "./page_wide.ts";
import { isOfTheWeb } from "./reach.ts";

interface Entry {
  model_name: string;
  model_module: string;
  model_module_version: string;
  state: Record<string, unknown>;
}

type Entries = Record<string, Entry>;

/** The part of ipywidgets' manager in JupyterLab and Notebook 7 that is used here; other hosts have other managers. */
interface Manager {
  get_state_sync?(options: { drop_defaults: boolean }): { state: Entries };
  context?: {
    saveState: { connect(slot: (sender: unknown, state: string) => void): void };
    model: {
      cells: Iterable<{ outputs?: { length: number; get(index: number): { data: Record<string, unknown> } } }>;
      getMetadata(key: string): unknown;
      setMetadata(key: string, value: unknown): void;
    };
  };
}

/** What makes the fallbacks of one manager's widgets, by the id of a widget's layout: of all models it is the only one a view can name. */
type Makers = Map<string, Make[]>;

/** Null where there is nothing to show yet: then what was saved earlier stays. */
type Make = () => Node | null;

const STATE = "application/vnd.jupyter.widget-state+json";
const VIEW = "application/vnd.jupyter.widget-view+json";
/** In the notebook's metadata: which entries of the widget state are ours to remove again. */
const OWN = "constellations_widgets";
/** How the page of an embedded preview begins. */
const SAVED_PAGE = '<div class="cxw-saved"';
const LOST = "This output needs a running kernel. Run the cell again to see it.";

/** Save the notebook with what `make` returns while a view is open. Call what this returns when the view is closed. */
export function registerFallback(model: AnyModel, make: Make): () => void {
  const manager = model.widget_manager as unknown as Manager | undefined;
  const layout = (model.get("layout") as { model_id?: string } | undefined)?.model_id;
  if (!layout || !manager?.get_state_sync || !manager.context?.model.setMetadata) return () => {};
  const makers = makersOf(manager);
  makers.set(layout, [...(makers.get(layout) ?? []), make]);
  return () => {
    const left = (makers.get(layout) ?? []).filter((other) => other !== make);
    if (left.length > 0) makers.set(layout, left);
    else makers.delete(layout);
  };
}

function makersOf(manager: Manager): Makers {
  const all = pageWide("fallbacks.1", () => new WeakMap<Manager, Makers>());
  const known = all.get(manager);
  if (known) return known;
  const makers: Makers = new Map();
  all.set(manager, makers);
  manager.context!.saveState.connect((_sender, state) => {
    if (state === "started") save(manager, makers);
  });
  return makers;
}

function save(manager: Manager, makers: Makers): void {
  const { model } = manager.context!;
  const live = manager.get_state_sync!({ drop_defaults: true }).state;
  const written = ((model.getMetadata("widgets") as Record<string, { state?: Entries }> | undefined)?.[STATE]?.state ??
    {}) as Entries;
  const own = model.getMetadata(OWN) as { fallbacks?: string[]; keepsakes?: string[] } | undefined;
  const earlier = own?.fallbacks ?? own?.keepsakes ?? []; // "keepsakes": notebooks saved before 2026-12
  const shown = shownIn(model.cells);
  const kept = fallbacks(live, shown, makers, (id) => (earlier.includes(id) ? written[id] : undefined));
  if (Object.keys(kept).length === 0 && earlier.length === 0) return;
  const entries = { ...written, ...kept };
  const needed = reached(entries, shown);
  const ours = [...new Set([...earlier, ...Object.keys(kept)])].filter((id) => id in entries);
  for (const id of Object.keys(entries)) {
    // With the setting on, ipywidgets has put our models there, scripts and all.
    if (isOurs(entries[id]!) || (ours.includes(id) && !needed.has(id))) delete entries[id];
  }
  model.setMetadata("widgets", { [STATE]: { version_major: 2, version_minor: 0, state: entries } });
  model.setMetadata(OWN, { fallbacks: ours.filter((id) => id in entries) });
}

/**
 * Ids of the models that the notebook's outputs show, without those that have a page in their place (widgets/preview/embedded.py): a
 * converter would show an entry beside that page, and load scripts from a CDN for it.
 */
function shownIn(cells: NonNullable<Manager["context"]>["model"]["cells"]): string[] {
  const ids: string[] = [];
  for (const { outputs } of cells) {
    const all = Array.from({ length: outputs?.length ?? 0 }, (_, index) => outputs!.get(index).data);
    for (const [index, data] of all.entries()) {
      const view = data[VIEW] as { model_id?: string } | undefined;
      const next = String(all[index + 1]?.["text/html"] ?? "");
      if (view?.model_id && !next.startsWith(SAVED_PAGE)) ids.push(view.model_id);
    }
  }
  return ids;
}

/** An entry for each widget of ours that is shown, and for the boxes that hold one, with all that these hold. */
function fallbacks(live: Entries, shown: string[], makers: Makers, before: (id: string) => Entry | undefined): Entries {
  const kept: Entries = {};
  for (const root of shown) {
    const ids = [...reached(live, [root])];
    if (!ids.some((id) => isOurs(live[id]!))) continue;
    for (const id of ids) {
      const entry = live[id]!;
      if (entry.model_module.startsWith("@jupyter-widgets/")) kept[id] = entry;
      else {
        const made = makers.get(refersTo(entry.state.layout) ?? "")?.at(-1)?.();
        kept[id] = (made ? null : before(id)) ?? htmlEntry(entry, made ?? paragraph(LOST));
      }
    }
  }
  return kept;
}

const isOurs = ({ state }: Entry) => String(state._anywidget_id ?? "").startsWith("constellations_widgets.");

function htmlEntry({ state: { layout } }: Entry, content: Node): Entry {
  const frame = document.createElement("div");
  withoutMathJax(frame); // ipywidgets has MathJax typeset what an HTML widget shows
  frame.append(content);
  const state = { value: frame.outerHTML, ...(layout ? { layout } : {}) };
  return { model_name: "HTMLModel", model_module: "@jupyter-widgets/controls", model_module_version: "2.0.0", state };
}

/** The models in `entries` that these ids and what they hold lead to. */
function reached(entries: Entries, ids: Iterable<string>): Set<string> {
  const found = new Set<string>();
  const follow = (value: unknown): void => {
    const id = refersTo(value);
    if (id) visit(id);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(follow);
  };
  const visit = (id: string): void => {
    if (found.has(id) || !entries[id]) return;
    found.add(id);
    follow(entries[id].state);
  };
  for (const id of ids) visit(id);
  return found;
}

const refersTo = (value: unknown) => (typeof value === "string" ? /^IPY_MODEL_(.+)$/.exec(value)?.[1] : undefined);

/** A paragraph of text, with links where there are any. */
export function paragraph(...parts: (string | Node)[]): HTMLElement {
  const paragraph = document.createElement("p");
  paragraph.append(...parts);
  return paragraph;
}

/** Text from elsewhere, isolated from what stands around it. */
export function foreign(text: string): HTMLElement {
  return Object.assign(document.createElement("bdi"), { textContent: text });
}

/** A link that leads to the web, or text. */
export function link(address: string): Node {
  if (!isOfTheWeb(address)) return foreign(address);
  const anchor = document.createElement("a");
  anchor.href = anchor.textContent = address;
  anchor.rel = "noopener noreferrer";
  return anchor;
}

/** A picture (a data: address) with a caption. */
export function figure(picture: string, alt: string, caption: string): Node {
  const figure = document.createElement("div");
  const image = document.createElement("img");
  Object.assign(image, { src: picture, alt });
  image.style.maxWidth = "100%";
  figure.append(image, paragraph(caption));
  return figure;
}
