// The line above the form of a row, which is a widget of its own below the table.

import type { PartProps, Row } from "./status.ts";

interface Props extends PartProps {
  rows: Row[];
  /** Numbers of the rows that are shown, in order. */
  shown: number[];
}

export function RowFormHead({ draft, status, rows, shown }: Props) {
  const { edited } = status;
  const row = edited === null ? undefined : rows[edited];
  const place = edited === null ? -1 : shown.indexOf(edited);
  const go = (to: number | null | undefined) => draft.send({ kind: "edit_row", row: to ?? null });
  return (
    <div class={row ? "cxw-row cxw-row-form" : ""} role="group" aria-label="Form of a row">
      <span role="status">
        {row && (
          <>
            Editing <b>{<bdi>{row.name}</bdi>}</b>: the form is below.
          </>
        )}
      </span>
      {row && (
        <>
          <button type="button" disabled={place <= 0} onClick={() => go(shown[place - 1])}>
            Previous
          </button>
          <button type="button" disabled={place < 0 || place + 1 >= shown.length} onClick={() => go(shown[place + 1])}>
            Next
          </button>
          <button type="button" onClick={() => go(null)}>
            Close form
          </button>
        </>
      )}
    </div>
  );
}
