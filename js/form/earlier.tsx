// Edits of the same image that an earlier form kept: shown again with what they change, or offered; either way back and forth.

import type { EarlierState, Value } from "../protocol.ts";
import { type DraftViewProps, useTrait } from "../shared/mount.tsx";

const shownValue = (value: Value) => (value === null || value === "" ? "empty" : String(value));

function when(iso: string): string {
  const [then, today] = [new Date(iso), new Date()];
  const time = then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return then.toDateString() === today.toDateString() ? time : `${then.toLocaleDateString()}, ${time}`;
}

const WORDS = { restored: "Your edits from", discarded: "Discarded your edits from", offered: "Unsaved edits from" };

export function EarlierEdits({ draft }: DraftViewProps) {
  const { phase, saved = "", fields = [] } = useTrait<EarlierState>(draft.kernel, "earlier");
  if (!phase) return null;
  const button = (kind: "restore" | "discard", label: string) => (
    <button type="button" disabled={draft.gone} onClick={() => draft.send({ kind })}>
      {label}
    </button>
  );
  return (
    <div class="cxw-notice cxw-earlier" role="status">
      <span>
        {WORDS[phase]} {when(saved)}
        {phase === "restored" && " are shown"}: {fields.map(({ title }) => title).join(", ")}.
      </span>{" "}
      {phase === "restored" && button("discard", "Discard")}
      {phase === "discarded" && button("restore", "Undo")}
      {phase === "offered" && button("restore", "Restore")} {phase === "offered" && button("discard", "Discard")}
      <details>
        <summary>Differences</summary>
        <dl class="cxw-compare">
          {fields.map(({ path, title, before, after }) => (
            <>
              <dt key={path}>{title}</dt>
              <dd>
                <del>
                  <bdi>{shownValue(before)}</bdi>
                </del>{" "}
                <ins>
                  <bdi>{shownValue(after)}</bdi>
                </ins>
              </dd>
            </>
          ))}
        </dl>
      </details>
    </div>
  );
}
