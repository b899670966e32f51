// Files from the user's computer: sent to the kernel in parts, of which some are on their way at the same time.

import type { Comm } from "../shared/comm.ts";

export const PART = 512 * 1024;
const AT_ONCE = 4;

type Dropped = Pick<File, "name" | "size" | "slice">;

/** Sends files: the kernel is told of all at once, then they go one after the other. Resolves with why some did not get there. */
export async function sendFiles(comm: Comm, files: Dropped[]): Promise<string[]> {
  const told = await Promise.allSettled(files.map(({ name, size }) => comm.ask("drop", { name, size })));
  const faults: string[] = [];
  for (const [index, answer] of told.entries()) {
    const fault = answer.status === "rejected" ? (answer.reason as Error).message : await sendFile(comm, files[index]!, answer.value.content.upload as number);
    if (fault) faults.push(fault);
  }
  return faults;
}

/** Sends one file, until the kernel has all of it or does not want it any more. Resolves with why it can't be read, if so. */
async function sendFile(comm: Comm, file: Dropped, upload: number): Promise<string> {
  let at = 0;
  let fault = "";
  const read = async (from: number) => {
    try {
      return await file.slice(from, from + PART).arrayBuffer();
    } catch (error) {
      fault = `“${file.name.slice(0, 100)}” can't be read, so it was not uploaded. Is it a folder? Drop the files that are in it.`;
      throw error;
    }
  };
  const send = async () => {
    while (at < file.size) {
      const from = at;
      at += PART;
      await comm.ask("part", { upload, at: from }, [await read(from)]);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, send));
  } catch {
    at = file.size; // it was stopped, or can't be read
    await comm.ask("stop", { upload }).catch(() => {});
  }
  return fault;
}
