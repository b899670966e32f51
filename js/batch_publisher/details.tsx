// The details of a row: reasons for its state, problems and their fixes.

import { useEffect, useState } from "preact/hooks";
import type { BatchDetails } from "../protocol.ts";
import { isShown } from "../shared/attention.ts";
import { WORDS } from "../shared/ui/problems.tsx";
import type { Row } from "./status.ts";
import { RecordLink, type TableProps } from "./table.tsx";

export function Details({ row, kernel, titles, editable, decide, edited, edit, edits }: TableProps & { row: Row }) {
  const [told, setTold] = useState<BatchDetails | null>(null);
  useEffect(() => {
    let current = true;
    kernel.request<BatchDetails>("details", { row: row.i }).then(
      ({ content }) => current && setTold(content),
      () => {}, // the view is closed, or reports that the kernel is gone
    );
    return () => {
      current = false;
    };
  }, [kernel, row.i, row.v]);
  if (!told) return <p class="cxw-quiet">…</p>;
  const open = edited === row.i;
  return (
    <>
      {edits && !row.id && (
        <button type="button" class="cxw-edit-row" aria-pressed={open} onClick={() => edit(open ? null : row.i)}>
          {open ? "Close form" : "Edit"}
        </button>
      )}
      {row.record && (
        <p>
          Published as <RecordLink row={row} />
        </p>
      )}
      {row.needs_review && (
        <label>
          <input
            type="checkbox"
            checked={row.anyway}
            onChange={(event) => decide([row.i], event.currentTarget.checked)}
          />
          <span>
            Publish “<bdi>{row.name}</bdi>” anyway
          </span>
        </label>
      )}
      <ul class="cxw-problem-list">
        {told.why.map((reason) => (
          <li key={reason}>
            <bdi>{reason}</bdi>
          </li>
        ))}
        {!row.id &&
          told.problems.filter(isShown).map((problem) => (
            <li
              key={problem.code + problem.field}
              class={`cxw-problem cxw-${problem.severity}`}
              data-code={problem.code}
            >
              <b>
                {WORDS[problem.severity]}: {titles[problem.field] ?? (problem.field || "This image")}
              </b>{" "}
              <bdi>{problem.message}</bdi>{" "}
              {problem.fix && editable && (
                <button
                  type="button"
                  class="cxw-fix"
                  onClick={() => kernel.send({ kind: "fix_row", row: row.i, code: problem.code, field: problem.field })}
                >
                  <bdi>{problem.fix}</bdi>
                </button>
              )}
            </li>
          ))}
      </ul>
      {told.url && (
        <p class="cxw-quiet">
          <code>{told.url}</code>
        </p>
      )}
    </>
  );
}
