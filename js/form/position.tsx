// The Position step: center, size, position angle and parity, as people write them. The kernel understands them; nothing is parsed here.

import { useState } from "preact/hooks";
import type { PositionField, PositionState } from "../protocol.ts";
import type { DraftLink } from "../shared/draft_link.ts";
import { type DraftViewProps, useTrait, useUniqueId } from "../shared/mount.tsx";
import { FindPosition } from "./find_position.tsx";

export function PositionStep({ kernel, draft, fixed }: DraftViewProps & { fixed: boolean }) {
  const place = useTrait<PositionState>(kernel, "place");
  if (!place.flat)
    return <p class="cxw-quiet">This image is not flat: its position is given by the WWT parameters below.</p>;
  const disabled = fixed || draft.gone;
  return (
    <>
      <div class="cxw-grid cxw-position" data-path="position">
        {place.fields.map((field) => (
          <PlaceInput key={field.name} draft={draft} field={field} taken={place.taken} disabled={disabled} />
        ))}
        <Mirrored draft={draft} place={place} disabled={disabled} />
      </div>
      <FindPosition kernel={kernel} draft={draft} disabled={disabled} />
      {place.question && (
        <p class="cxw-problem cxw-warning" role="status">
          <span>
            <bdi>{place.question}</bdi>{" "}
            {place.label && (
              <button type="button" class="cxw-fix" onClick={() => draft.send({ kind: "place_answer" })}>
                {place.label}
              </button>
            )}
          </span>
        </p>
      )}
    </>
  );
}

interface PlaceInputProps {
  draft: DraftLink;
  field: PositionField;
  /** How many texts the kernel has taken. */
  taken: number;
  disabled: boolean;
}

function PlaceInput({ draft, field, taken, disabled }: PlaceInputProps) {
  const id = useUniqueId();
  const [typed, setTyped] = useState<string | null>(null);
  const [sent, setSent] = useState({ text: "", taken: -1 });
  const shown = field.error ? field.typed : field.text;
  const waiting = sent.taken === taken; // the kernel has not answered: the old number would look like a refusal
  const take = (text: string) => {
    setTyped(null);
    if (text === (waiting ? sent.text : shown)) return;
    setSent({ text, taken });
    draft.send({ kind: "place", name: field.name, value: text });
  };
  return (
    <div class="cxw-field">
      <div class="cxw-label">
        <label for={id}>{field.title}</label>
      </div>
      <input
        id={id}
        type="text"
        autocomplete="off"
        spellcheck={false}
        value={typed ?? (waiting ? sent.text : shown)}
        disabled={disabled}
        aria-invalid={field.error !== ""}
        aria-describedby={`${id}-problem ${id}-help`}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={(event) => take(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Enter" && take(event.currentTarget.value)}
      />
      <div id={`${id}-problem`} class="cxw-field-problems cxw-error-text">
        <bdi>{field.error}</bdi>
      </div>
      {field.help && (
        <div id={`${id}-help`} class="cxw-quiet cxw-help">
          {field.help}
        </div>
      )}
    </div>
  );
}

function Mirrored({ draft, place, disabled }: { draft: DraftLink; place: PositionState; disabled: boolean }) {
  const id = useUniqueId();
  return (
    <div class="cxw-field">
      <label class="cxw-check">
        <input
          type="checkbox"
          checked={place.mirrored}
          disabled={disabled || place.unmirrored !== ""}
          aria-describedby={id}
          onChange={(event) => draft.send({ kind: "place", name: "mirrored", value: event.currentTarget.checked })}
        />{" "}
        Mirrored
      </label>
      <div id={id} class="cxw-quiet cxw-help">
        {place.unmirrored || "East is clockwise of north, the opposite of how the sky is seen."}
      </div>
    </div>
  );
}
