/** The app's own files, sent by the kernel once for each page, however many previews it shows. */

import type { Bytes } from "./addresses";
import type { Comm } from "../shared/comm";
import { pageWide } from "../shared/page_wide";

export interface AppFiles {
  css: string;
  scripts: string[];
  /** The files of widgets/data by their names. */
  sky: ReadonlyMap<string, Bytes>;
}

const shared = pageWide<{ files: Promise<AppFiles> | null }>("app_files.1", () => ({ files: null }));

/** Rejects with what the kernel says, if it has no app to send. */
export async function appFiles(comm: Comm): Promise<AppFiles> {
  for (;;) {
    const asked = shared.files === null;
    const current = (shared.files ??= load(comm));
    try {
      return await current;
    } catch (error) {
      if (shared.files === current) shared.files = null; // the next one may have more luck
      // Another preview had asked, and was removed before the answer came.
      if (asked || (error as Error).name !== "Closed") throw error;
    }
  }
}

async function load(comm: Comm): Promise<AppFiles> {
  const { content, buffers } = await comm.ask("app");
  const names = content.names as string[];
  const file = (name: string) => buffers[names.indexOf(name)]!;
  const text = (name: string) => new TextDecoder().decode(file(name));
  const sky = new Map(names.filter((name) => name.includes(".")).map((name) => [name, file(name)]));
  return { css: text("css"), scripts: [text("libraries"), text("app")], sky };
}
