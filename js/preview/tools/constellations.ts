/** The constellations' figures and boundaries, drawn by the engine from files of ours. */

import type { App, Part } from "../part.ts";
import { group, toggle } from "./toolbar.ts";

const FIGURES = "#6f9fd8";
const BOUNDARIES = "#9a8f6a";

export class Constellations implements Part {
  #app: App | null = null;
  #figures = toggle("Constellation lines", "Show lines between the stars of each constellation", () => this.#tell());
  #boundaries = toggle("Boundaries", "Show the boundaries of the constellations", () => this.#tell());
  readonly more = [group("Constellations", this.#figures.element, this.#boundaries.element)];

  appReady(app: App): void {
    this.#app = app;
    this.#set("constellationFigureColor", FIGURES);
    this.#set("constellationBoundryColor", BOUNDARIES);
    this.#set("constellationSelectionColor", BOUNDARIES); // of the one in the center of the view
    this.#tell();
  }

  appGone(): void {
    this.#app = null;
  }

  #tell(): void {
    this.#set("showConstellationFigures", this.#figures.on);
    this.#set("showConstellationBoundries", this.#boundaries.on);
  }

  #set(setting: string, value: string | boolean): void {
    this.#app?.post({ event: "setting_set", setting, value });
  }
}
