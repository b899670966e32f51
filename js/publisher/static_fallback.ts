// What a saved notebook shows in the publisher's place: whether the image was published, where it is, and what was sent.

import type { PublisherStatus, ReceiptState, SceneState } from "../protocol.ts";
import { isolated } from "../shared/foreign.ts";
import { link, paragraph } from "../shared/static_fallback.ts";

export function staticFallback(name: string, { receipt, phase }: PublisherStatus, scene: SceneState): Node {
  if (receipt) return published(name, receipt, scene);
  if (phase === "sending" || phase === "unclear") {
    return paragraph(
      `When this notebook was saved it was not clear whether “${isolated(name)}” was published. Run the cell to look: it sends nothing by itself.`,
    );
  }
  return paragraph(
    `“${isolated(name)}” was not published from here when this notebook was saved. Run the cell to go on.`,
  );
}

function published(name: string, receipt: ReceiptState, scene: SceneState): Node {
  const { id, handle, api_url, created, record_url, wtml_url, handle_url } = receipt;
  const parts = [
    paragraph(
      `“${isolated(name)}” was published by @${isolated(handle)} at ${api_url} as ${isolated(id)}, ${created}. Its record: `,
      link(record_url),
    ),
  ];
  parts.push(paragraph("WTML: ", link(wtml_url)));
  if (handle_url) parts.push(paragraph("The page of its owner: ", link(handle_url)));
  if (scene.made) {
    const made = scene.made.published ? "A scene of it was published" : "A scene of it was created, not published";
    parts.push(paragraph(`${made}: ${isolated(scene.made.id)}, `, link(scene.made.scene_url ?? scene.made.record_url)));
  }
  const sent = document.createElement("details");
  const [summary, body] = [document.createElement("summary"), document.createElement("pre")];
  [summary.textContent, body.textContent] = [
    `What was sent (attempt ${receipt.key}, SHA-256 ${receipt.body_sha256})`,
    receipt.body,
  ];
  sent.append(summary, body);
  const all = document.createElement("div");
  all.append(...parts, sent);
  return all;
}
