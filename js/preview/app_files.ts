/** The app's own files, sent by the kernel once for each page, however many previews it shows. */

import type { Bytes } from "./addresses";
import { Closed, type Comm } from "../shared/comm";

export interface AppFiles {
  css: string;
  scripts: string[];
  sky: Bytes[];
}

let shared: Promise<AppFiles> | null = null;

/** Rejects with what the kernel says, if it has no app to send. */
export async function appFiles(comm: Comm): Promise<AppFiles> {
  for (;;) {
    const asked = shared === null;
    shared ??= load(comm);
    const current = shared;
    try {
      return await current;
    } catch (error) {
      if (shared === current) shared = null; // the next one may have more luck
      // Another preview had asked, and was removed before the answer came.
      if (asked || !(error instanceof Closed)) throw error;
    }
  }
}

async function load(comm: Comm): Promise<AppFiles> {
  const { content, buffers } = await comm.ask("app");
  const names = content.names as string[];
  const file = (name: string) => buffers[names.indexOf(name)]!;
  const text = (name: string) => new TextDecoder().decode(file(name));
  return { css: text("css"), scripts: [text("libraries"), text("app")], sky: [file("sky_0"), file("sky_1")] };
}
