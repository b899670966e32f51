// What is behind a row: why it is as it is, what the checks say, what mends it.

import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../shared/types.ts";
import { RecordLink, type TableProps } from "./table.tsx";
import type { Row } from "./status.ts";

export type Ask = (kind: string, content: Record<string, unknown>) => Promise<{ content: Record<string, unknown> }>;

interface Told {
  problems: Problem[];
  why: string[];
  url: string;
}

const WORDS = { error: "Error", warning: "Warning", info: "Note" } as const;

export function Details({ row, ask, send, titles, editable, decide }: TableProps & { row: Row }) {
  const [told, setTold] = useState<Told | null>(null);
  useEffect(() => {
    let current = true;
    ask("details", { row: row.i }).then(
      ({ content }) => current && setTold(content as unknown as Told),
      () => {}, // the view is closed, or says itself that the kernel is gone
    );
    return () => void (current = false);
  }, [ask, row.i, row.v]);
  if (!told) return <p class="cxw-quiet">…</p>;
  return (
    <>
      {row.record && (
        <p>
          Published as <RecordLink row={row} />
        </p>
      )}
      {row.decides && (
        <label>
          <input type="checkbox" checked={row.anyway} onChange={(event) => decide([row.i], event.currentTarget.checked)} /> Publish “{row.name}”
          anyway
        </label>
      )}
      <ul class="cxw-problem-list">
        {told.why.map((reason) => (
          <li key={reason}>
            <bdi>{reason}</bdi>
          </li>
        ))}
        {!row.id &&
          told.problems.map((problem) => (
            <li key={problem.code + problem.field} class={`cxw-problem cxw-${problem.severity}`} title={problem.code}>
              <b>
                {WORDS[problem.severity]}: {titles[problem.field] ?? (problem.field || "This image")}
              </b>{" "}
              <span>{problem.message}</span>{" "}
              {problem.fix && editable && (
                <button type="button" class="cxw-fix" onClick={() => send({ kind: "mend", row: row.i, code: problem.code, field: problem.field })}>
                  {problem.fix}
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
