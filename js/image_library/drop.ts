// Files from the user's computer: sent to the kernel in parts, of which some are on their way at the same time.

import type { Comm } from "../shared/comm.ts";

export const PART = 512 * 1024;
const AT_ONCE = 4;

/** Sends one file; resolves when the kernel has all of it, or does not want it any more. */
export async function sendFile(comm: Comm, file: Pick<File, "name" | "size" | "slice">): Promise<void> {
  const { content } = await comm.ask("drop", { name: file.name, size: file.size });
  const upload = content.upload as number;
  let at = 0;
  const send = async () => {
    while (at < file.size) {
      const from = at;
      at += PART;
      const part = await file.slice(from, from + PART).arrayBuffer();
      await comm.ask("part", { upload, at: from }, [part]);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, send));
  } catch {
    at = file.size; // it was stopped, or the file can't be read any more
    await comm.ask("stop", { upload }).catch(() => {});
  }
}

/** Sends files one after the other. */
export async function sendFiles(comm: Comm, files: Iterable<File>): Promise<void> {
  for (const file of files) await sendFile(comm, file);
}
