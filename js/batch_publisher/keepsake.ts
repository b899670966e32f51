// What a saved notebook shows in a batch's place: what was published then, each with its record, and what was not.

import { link, words } from "../shared/keepsake.ts";
import { images, inWords, isBusy, type Row, type Status } from "./status.ts";

const MOST = 500; // rows in a notebook's file

export function keepsake(status: Status, rows: Row[]): Node {
  const { handle, api_url, counts, total } = status;
  const published = counts.published ?? 0;
  const frame = document.createElement("div");
  const where = `When this notebook was saved, ${published} of ${images(total)} were published by @${handle} at ${api_url}`;
  frame.append(words(published === total ? `${where}.` : `${where}; of all: ${inWords(counts)}.`));
  if (isBusy(status) && status.phase !== "planning") frame.append(words("The batch was still under way, and more may have been published since."));
  if (published < total) frame.append(words("Run the cell to go on: what was published is known, and nothing is sent by itself."));
  const done = rows.filter((row) => row?.id);
  if (done.length === 0) return frame;
  const table = document.createElement("table");
  for (const row of done.slice(0, MOST)) {
    const cells = table.insertRow();
    cells.insertCell().textContent = row.name;
    cells.insertCell().append(link(row.record));
  }
  frame.append(table);
  if (done.length > MOST) frame.append(words(`And ${(done.length - MOST).toLocaleString("en")} more: the saved receipts and history() list them.`));
  if (status.saved.length > 0) frame.append(words(`Receipts: ${status.saved.join(", ")}`));
  return frame;
}
