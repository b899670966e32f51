// What a saved notebook shows in the publisher's place: whether the image was published, and where its record is.

import { link, words } from "../shared/keepsake.ts";
import type { Status } from "./status.ts";

export function keepsake(name: string, { receipt, phase }: Status): Node {
  if (receipt) {
    const { id, handle, api_url, created, record_url } = receipt;
    const where = `“${name}” was published by @${handle} at ${api_url} as ${id}, ${created}. Its record: `;
    return words(where, link(record_url));
  }
  if (phase === "sending" || phase === "unclear") {
    return words(`When this notebook was saved it was not clear whether “${name}” was published. Run the cell to look: it sends nothing by itself.`);
  }
  return words(`“${name}” was not published from here when this notebook was saved. Run the cell to go on.`);
}
