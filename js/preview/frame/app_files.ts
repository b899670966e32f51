/** The app's own files, sent by the kernel once for each page, however many previews it shows. */

import type { AppFiles as AppFilesResponse } from "../../protocol.ts";
import type { KernelLink } from "../../shared/kernel_link.ts";
import { pageWide } from "../../shared/page_wide.ts";
import type { Bytes } from "./addresses.ts";

export interface AppFiles {
  css: string;
  scripts: string[];
  /** The files of widgets/data by their names. */
  sky: ReadonlyMap<string, Bytes>;
}

const shared = pageWide<{ files: Promise<AppFiles> | null }>("app_files.1", () => ({ files: null }));

/** Reject with the kernel's message if it has no app to send. */
export async function appFiles(kernel: KernelLink): Promise<AppFiles> {
  for (;;) {
    const requested = shared.files === null;
    shared.files ??= load(kernel);
    const current = shared.files;
    try {
      return await current;
    } catch (error) {
      if (shared.files === current) shared.files = null; // the next one may have more luck
      // Another preview had requested them, and was removed before the response came.
      if (requested || (error as Error).name !== "ClosedError") throw error;
    }
  }
}

async function load(kernel: KernelLink): Promise<AppFiles> {
  const { content, buffers } = await kernel.request<AppFilesResponse>("app");
  const { names } = content;
  const file = (name: string) => buffers[names.indexOf(name)]!;
  const text = (name: string) => new TextDecoder().decode(file(name));
  const sky = new Map(names.filter((name) => name.includes(".")).map((name) => [name, file(name)]));
  return { css: text("css"), scripts: [text("libraries"), text("app")], sky };
}
