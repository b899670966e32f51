// What a saved notebook shows in the publisher's place: whether the image was published, where it is, and what was sent.

import { link, words } from "../shared/keepsake.ts";
import type { ReceiptState, SceneState, Status } from "./status.ts";

export function keepsake(name: string, { receipt, phase }: Status, scene: SceneState): Node {
  if (receipt) return published(name, receipt, scene);
  if (phase === "sending" || phase === "unclear") {
    return words(`When this notebook was saved it was not clear whether “${name}” was published. Run the cell to look: it sends nothing by itself.`);
  }
  return words(`“${name}” was not published from here when this notebook was saved. Run the cell to go on.`);
}

function published(name: string, receipt: ReceiptState, scene: SceneState): Node {
  const { id, handle, api_url, created, record_url, wtml_url, handle_url } = receipt;
  const parts = [words(`“${name}” was published by @${handle} at ${api_url} as ${id}, ${created}. Its record: `, link(record_url))];
  parts.push(words("WTML: ", link(wtml_url)));
  if (handle_url) parts.push(words("The page of its owner: ", link(handle_url)));
  if (scene.receipt) {
    const made = scene.receipt.published ? "A scene of it was published" : "A scene of it was made, not published";
    parts.push(words(`${made}: ${scene.receipt.id}, `, link(scene.receipt.scene_url ?? scene.receipt.record_url)));
  }
  const sent = document.createElement("details");
  const [summary, body] = [document.createElement("summary"), document.createElement("pre")];
  [summary.textContent, body.textContent] = [`What was sent (attempt ${receipt.key}, SHA-256 ${receipt.body_sha256})`, receipt.body];
  sent.append(summary, body);
  const all = document.createElement("div");
  all.append(...parts, sent);
  return all;
}
