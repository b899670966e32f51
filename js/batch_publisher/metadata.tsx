// A table of metadata: what its columns are for and what does not fit, shown before it is applied.

import "../shared/ui/value_table.css";
import type { BatchMetadata } from "../protocol.ts";
import { useTrait } from "../shared/mount.tsx";
import { images, isBusy, type PartProps } from "./status.ts";

export function Metadata({ draft, status }: PartProps) {
  const table = useTrait<BatchMetadata>(draft.kernel, "metadata");
  const { name = "", columns = [], count = 0, remarks = [], more = 0, applied = false } = table;
  if (!name && remarks.length === 0) return null;
  return (
    <details class="cxw-section cxw-metadata" open={!applied}>
      <summary>{name ? <bdi>{`Table: ${name}`}</bdi> : "Files without a row"}</summary>
      {name && (
        <table class="cxw-values">
          <caption class="cxw-hidden">Columns of the table and their fields</caption>
          <thead>
            <tr>
              <th scope="col">Column</th>
              <th scope="col">Field</th>
            </tr>
          </thead>
          <tbody>
            {columns.map(({ header, field, reason }, at) => (
              <tr key={at} data-field={field}>
                <th scope="row">
                  <bdi>{header || "(no name)"}</bdi>
                </th>
                <td>{field ? `→ ${field}` : <span class="cxw-quiet">not used: {reason}</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {remarks.length > 0 && (
        <div class="cxw-remarks" role="region" aria-label="What does not fit" tabIndex={0}>
          <ul>
            {remarks.map((remark, at) => (
              <li key={at}>
                <bdi>{remark}</bdi>
              </li>
            ))}
            {more > 0 && <li>{more.toLocaleString("en")} more</li>}
          </ul>
        </div>
      )}
      {name && (
        <div class="cxw-row">
          <button
            type="button"
            class={applied ? "" : "cxw-primary"}
            disabled={count === 0 || isBusy(status) || draft.gone}
            onClick={() => draft.send({ kind: "apply_metadata" })}
          >
            {applied ? "Apply again" : `Apply to ${images(count)}`}
          </button>
          <span class="cxw-quiet" role="status">
            {applied ? "Applied. Undo is under Shared fields." : "Nothing is changed before you apply it."}
          </span>
        </div>
      )}
    </details>
  );
}
