// Files from the user's computer: sent to the kernel in parts, several at the same time.

import type { DropResponse } from "../protocol.ts";
import type { KernelLink } from "../shared/kernel_link.ts";

export const PART = 512 * 1024;
const AT_ONCE = 4;

type Dropped = Pick<File, "name" | "size" | "slice">;

/** Send files: all are announced at once, then sent one after the other. Resolve with messages about those that failed. */
export async function sendFiles(kernel: KernelLink, files: Dropped[]): Promise<string[]> {
  const results = await Promise.allSettled(
    files.map(({ name, size }) => kernel.request<DropResponse>("drop", { name, size })),
  );
  const faults: string[] = [];
  for (const [index, answer] of results.entries()) {
    const fault =
      answer.status === "rejected"
        ? (answer.reason as Error).message
        : await sendFile(kernel, files[index]!, answer.value.content.upload);
    if (fault) faults.push(fault);
  }
  return faults;
}

/** Send one file until it is complete or cancelled. Resolve with a message if it can't be read. */
async function sendFile(kernel: KernelLink, file: Dropped, upload: number): Promise<string> {
  let at = 0;
  let fault = "";
  const read = async (from: number) => {
    try {
      return await file.slice(from, from + PART).arrayBuffer();
    } catch (error) {
      fault = `“${file.name.slice(0, 100)}” was not uploaded: it can't be read. If it is a folder, drop the files in it instead.`;
      throw error;
    }
  };
  const send = async () => {
    while (at < file.size) {
      const from = at;
      at += PART;
      await kernel.request("part", { upload, at: from }, [await read(from)]);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, send));
  } catch {
    at = file.size; // it was stopped, or can't be read
    await kernel.request("stop", { upload }).catch(() => {});
  }
  return fault;
}
