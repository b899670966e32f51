// A number as people write it: the kernel understands it, and nothing is parsed here.

import { useState } from "preact/hooks";
import type { PositionField } from "../protocol.ts";
import { useUniqueId } from "./mount.tsx";

interface TypedInputProps {
  field: PositionField;
  /** How many texts the kernel has taken. */
  taken: number;
  disabled: boolean;
  take: (text: string) => void;
}

export function TypedInput({ field, taken, disabled, take }: TypedInputProps) {
  const id = useUniqueId();
  const [typed, setTyped] = useState<string | null>(null);
  const [sent, setSent] = useState({ text: "", taken: -1 });
  const shown = field.error ? field.typed : field.text;
  const waiting = sent.taken === taken; // the kernel has not answered: the old number would look like a refusal
  const send = (text: string) => {
    setTyped(null);
    if (text === (waiting ? sent.text : shown)) return;
    setSent({ text, taken });
    take(text);
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
        onChange={(event) => send(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Enter" && send(event.currentTarget.value)}
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
