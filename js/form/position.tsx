// The Position step: center, size, position angle and parity, as people write them. The kernel understands them; nothing is parsed here.

import type { PositionState } from "../protocol.ts";
import type { DraftLink } from "../shared/draft_link.ts";
import { type DraftViewProps, useTrait, useUniqueId } from "../shared/mount.tsx";
import { TypedInput } from "../shared/typed_input.tsx";
import { FindPosition } from "./find_position.tsx";

export function PositionStep({ draft, fixed }: DraftViewProps & { fixed: boolean }) {
  const place = useTrait<PositionState>(draft.kernel, "place");
  if (!place.flat)
    return <p class="cxw-quiet">This image is not flat: its position is given by the WWT parameters below.</p>;
  const disabled = fixed || draft.gone;
  return (
    <>
      <div class="cxw-grid cxw-position" data-path="position">
        {place.fields.map((field) => (
          <TypedInput
            key={field.name}
            field={field}
            taken={place.taken}
            disabled={disabled}
            take={(value) => draft.send({ kind: "place", name: field.name, value })}
          />
        ))}
        <Mirrored draft={draft} place={place} disabled={disabled} />
      </div>
      <FindPosition draft={draft} disabled={disabled} />
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
