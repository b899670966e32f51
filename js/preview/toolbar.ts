/** The row of controls above the sky. What they do concerns this page only, so nothing of it goes to the kernel. */

export function toolbar(controls: readonly HTMLElement[]): HTMLElement {
  const element = document.createElement("div");
  element.className = "cxw-preview-toolbar";
  element.setAttribute("role", "toolbar");
  element.setAttribute("aria-label", "Preview");
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

export interface Slider {
  element: HTMLElement;
  readonly value: number;
}

export function slider(label: string, min: number, max: number, value: number, moved: () => void): Slider {
  const input = document.createElement("input");
  Object.assign(input, { type: "range", min: String(min), max: String(max), value: String(value) });
  input.addEventListener("input", moved);
  const element = document.createElement("label");
  element.append(label, input);
  return {
    element,
    get value() {
      return input.valueAsNumber;
    },
  };
}
