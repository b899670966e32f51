/** The row of controls above the sky. What they do concerns this page only, so nothing of it goes to the kernel. */

export interface ToolbarActions {
  go: () => void;
  /** 0 (sky alone) to 100 (image alone). */
  opacity: (percent: number) => void;
}

export class Toolbar {
  readonly element = document.createElement("div");
  #slider = document.createElement("input");

  constructor(actions: ToolbarActions) {
    this.element.className = "cxw-preview-toolbar";
    this.element.setAttribute("role", "toolbar");
    this.element.setAttribute("aria-label", "Preview");
    const go = document.createElement("button");
    go.type = "button";
    go.textContent = "Go to image";
    go.addEventListener("click", actions.go);
    const label = document.createElement("label");
    Object.assign(this.#slider, { type: "range", min: "0", max: "100", value: "100" });
    this.#slider.addEventListener("input", () => actions.opacity(this.opacity));
    label.append("Image opacity", this.#slider);
    this.element.append(go, label);
  }

  get opacity(): number {
    return this.#slider.valueAsNumber;
  }
}
