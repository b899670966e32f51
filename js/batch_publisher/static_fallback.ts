// The static fallback of a batch: what was published when the notebook was saved, with links to the records.

import { isolated } from "../shared/foreign.ts";
import { foreign, link, paragraph } from "../shared/static_fallback.ts";
import { images, inWords, isBusy, type Row, type Status } from "./status.ts";

const MOST = 500; // rows in a notebook's file

export function staticFallback(status: Status, rows: Row[]): Node {
  const { handle, api_url, counts, total } = status;
  const published = counts.published ?? 0;
  const frame = document.createElement("div");
  const where = `When this notebook was saved, ${published} of ${images(total)} were published by @${isolated(handle)} at ${isolated(api_url)}`;
  frame.append(paragraph(published === total ? `${where}.` : `${where}; of all: ${inWords(counts)}.`));
  if (isBusy(status) && status.phase !== "planning")
    frame.append(paragraph("The batch was still running; more images may have been published since."));
  if (published < total)
    frame.append(
      paragraph("Run the cell to continue. Published images are recognized, and nothing is sent automatically."),
    );
  const done = rows.filter((row) => row?.id);
  if (done.length === 0) return frame;
  const table = document.createElement("table");
  for (const row of done.slice(0, MOST)) {
    const cells = table.insertRow();
    cells.insertCell().append(foreign(row.name));
    cells.insertCell().append(link(row.record));
  }
  frame.append(table);
  if (done.length > MOST)
    frame.append(
      paragraph(`And ${(done.length - MOST).toLocaleString("en")} more: the saved receipts and history() list them.`),
    );
  if (status.saved.length > 0) frame.append(paragraph(`Receipts: ${status.saved.map(isolated).join(", ")}`));
  return frame;
}
