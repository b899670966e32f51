/** The sky behind the image. */

import { SKY } from "./addresses";
import type { App, Part } from "./part";

export class Sky implements Part {
  #app: App | null = null;

  appReady(app: App): void {
    this.#app = app;
    app.post({ event: "load_image_collection", url: SKY.url, threadId: "sky" });
  }

  heard(message: Record<string, unknown>): void {
    if (message.event === "load_image_collection_completed" && message.url === SKY.url) {
      this.#app?.post({ event: "set_background_by_name", name: SKY.name });
    }
  }

  appGone(): void {
    this.#app = null;
  }
}
