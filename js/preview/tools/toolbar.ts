/** The row of controls above the sky. They affect this page only, so nothing is sent to the kernel. */

// Text fields need the arrow keys themselves, and stay tab stops of their own.
const CONTROLS = 'button, select, input[type="range"]';

/** One stop for the Tab key; the arrows to the left and right go from control to control, those up and down change its value. */
export function toolbar(controls: readonly HTMLElement[], label = "Preview"): HTMLElement {
  const element = document.createElement("div");
  element.className = "cxw-preview-toolbar";
  element.setAttribute("role", "toolbar");
  element.setAttribute("aria-label", label);
  element.append(...controls);
  const all = [...element.querySelectorAll<HTMLElement>(CONTROLS)];
  const enter = (control: HTMLElement | undefined) =>
    all.forEach((each) => (each.tabIndex = each === control ? 0 : -1));
  enter(all[0]);
  element.addEventListener("focusin", ({ target }) => {
    if (all.includes(target as HTMLElement)) enter(target as HTMLElement);
  });
  element.addEventListener("focusout", ({ relatedTarget }) => {
    if (!element.contains(relatedTarget as Node | null)) enter(all[0]); // the last one may not be there next time
  });
  element.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const there = all.filter((control) => !control.closest("[hidden]"));
    const at = there.indexOf(event.target as HTMLElement);
    if (at < 0) return;
    event.preventDefault();
    there[(at + step + there.length) % there.length]!.focus();
  });
  return element;
}

/** Controls that belong together. */
export function group(label: string, ...controls: HTMLElement[]): HTMLElement {
  const element = document.createElement("div");
  element.className = "cxw-preview-group";
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", label);
  element.append(...controls);
  return element;
}

export function button(label: string, action: () => void): HTMLButtonElement {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = label;
  element.addEventListener("click", action);
  return element;
}

/** Label a control so that `rest` is left out where there is little room; its name stays whole. */
export function shortened<Control extends HTMLElement>(control: Control, label: string, rest: string): Control {
  const end = document.createElement("span");
  end.className = "cxw-preview-rest";
  end.textContent = rest;
  control.replaceChildren(label, end);
  control.setAttribute("aria-label", label + rest);
  return control;
}

/** What closes something, as a drawing. */
export const CROSS = "M4 4l8 8M12 4l-8 8";

/** A button that shows a drawing, `path` in a square of 16, instead of its label. */
export function iconButton(label: string, path: string, action: () => void): HTMLButtonElement {
  const element = button("", action);
  element.title = label;
  element.setAttribute("aria-label", label);
  const drawing = svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" });
  drawing.append(svg("path", { d: path }));
  element.append(drawing);
  return element;
}

/** A `<div>` of a class, with a text. */
export function div(className: string, text = ""): HTMLElement {
  const element = document.createElement("div");
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

export function svg(name: string, attributes: Record<string, string>): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export interface Toggle {
  element: HTMLButtonElement;
  on: boolean;
}

/** A toggle button; `changed` is called when it is pressed. */
export function toggle(label: string, title: string, changed: () => void): Toggle {
  const element = button(label, () => {
    element.ariaPressed = String(element.ariaPressed !== "true");
    changed();
  });
  element.title = title;
  element.ariaPressed = "false";
  return {
    element,
    get on() {
      return element.ariaPressed === "true";
    },
    set on(on) {
      element.ariaPressed = String(on);
    },
  };
}

function labeled(label: string, control: HTMLElement): HTMLElement {
  const element = document.createElement("label");
  const name = document.createElement("span");
  name.textContent = label;
  element.append(name, control);
  return element;
}

export interface Slider {
  element: HTMLElement;
  readonly value: number;
}

export function slider(label: string, min: number, max: number, value: number, moved: () => void): Slider {
  const input = document.createElement("input");
  Object.assign(input, { type: "range", min: String(min), max: String(max), value: String(value) });
  input.addEventListener("input", moved);
  const element = labeled(label, input);
  return {
    element,
    get value() {
      return input.valueAsNumber;
    },
  };
}

export type Choice = [value: string, text: string];

export interface Select {
  element: HTMLElement;
  value: string;
  /** The choice stays if it is among them. */
  offer(choices: readonly Choice[]): void;
}

export function select(label: string, title: string, chosen: (value: string) => void): Select {
  const box = document.createElement("select");
  box.title = title;
  box.addEventListener("change", () => chosen(box.value));
  const element = labeled(label, box);
  return {
    element,
    get value() {
      return box.value;
    },
    set value(value) {
      box.value = value;
    },
    offer(choices) {
      const { value } = box;
      box.replaceChildren(
        ...choices.map(([key, text]) =>
          Object.assign(document.createElement("option"), { value: key, textContent: text }),
        ),
      );
      box.value = choices.some(([key]) => key === value) ? value : choices[0]![0];
    },
  };
}
