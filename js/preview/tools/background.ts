/** The sky behind the image: the one that comes with the package, or a survey from the network if the user chooses one. */

import { type Sky as Background, SKY } from "../frame/addresses.ts";
import { hostOf, type Survey } from "../frame/surveys.ts";
import type { App, Part } from "../part.ts";
import type { Notes } from "./notes.ts";
import { type Choice, select } from "./toolbar.ts";

const OFFLINE: Choice = ["", "Offline sky"];
const OF_SCENE: Choice = ["", "Of the scene"];

export class Sky implements Part {
  #notes: Notes;
  #app: App | null = null;
  #background: Background = SKY;
  /** The app has the offline sky. Before that there is nothing to put behind the image, and the engine would take the image away, too. */
  #loaded = false;
  #surveys: Survey[] = [];
  /** What a scene has behind its images, while the user has chosen no survey. */
  #scene: Background | null = null;
  #choice = select("Sky", "The sky behind the image. All except the offline sky are loaded from the network.", (id) =>
    this.#choose(id),
  );
  readonly more = [this.#choice.element];

  constructor(notes: Notes) {
    this.#notes = notes;
    this.#choice.offer([OFFLINE]);
  }

  /** Show the background of a scene, until the user chooses another one; null for the offline sky. It is loaded by then. */
  showScene(background: Background | null): void {
    this.#scene = background;
    this.#offer();
    if (!this.#survey) this.#show(null);
  }

  /** Name of the sky that the engine knows by this name. */
  labelOf(name: string): string {
    if (name !== this.#background.name) return name;
    return this.#survey?.name ?? (this.#scene ? "the sky of the scene" : "the offline sky");
  }

  appReady(app: App): void {
    this.#app = app;
    this.#loaded = false;
    this.#scene = null;
    this.#surveys = app.addresses.surveys;
    this.#choice.element.hidden = this.#surveys.length === 0;
    this.#offer();
    app.post({ event: "load_image_collection", url: SKY.url, threadId: "sky" });
    this.#show(this.#survey);
  }

  onMessage(message: Record<string, unknown>): void {
    if (message.event !== "load_image_collection_completed") return;
    this.#loaded ||= message.url === SKY.url;
    if (message.url === this.#background.url || (message.url === SKY.url && this.#background === this.#scene))
      this.#place();
  }

  appGone(): void {
    this.#app?.addresses.close();
    this.#app = null;
  }

  #offer(): void {
    this.#choice.offer([this.#scene ? OF_SCENE : OFFLINE, ...this.#surveys.map(({ id, name }): Choice => [id, name])]);
  }

  get #survey(): Survey | null {
    return this.#surveys.find(({ id }) => id === this.#choice.value) ?? null;
  }

  #choose(id: string): void {
    this.#notes.show("");
    this.#show(this.#surveys.find((survey) => survey.id === id) ?? null);
  }

  #show(survey: Survey | null): void {
    const app = this.#app;
    this.#notes.credit(survey ? `${survey.name}: ${survey.credits}` : "", survey?.more ?? "");
    if (!app) return;
    if (survey) {
      let first = true;
      this.#background = app.addresses.open(survey, (reached) => {
        if (first && !reached) this.#giveUp(survey);
        first = false;
      });
      app.post({ event: "load_image_collection", url: this.#background.url, threadId: "sky" });
    } else {
      app.addresses.close();
      this.#background = this.#scene ?? SKY;
      if (this.#loaded) this.#place();
    }
  }

  #place(): void {
    this.#app?.post({ event: "set_background_by_name", name: this.#background.name });
  }

  #giveUp(survey: Survey): void {
    this.#choice.value = "";
    this.#show(null);
    this.#notes.show(
      `${survey.name} can't be reached: ${hostOf(survey)} does not answer this page. The offline sky is back.`,
    );
  }
}
