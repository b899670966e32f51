// Positions found by stars, as the form of one image and the table of many show them: hints, and what is known of a result.

import "./finder.css";
import type { FoundPosition } from "../protocol.ts";
import { useUniqueId } from "./mount.tsx";

interface HintsProps {
  near: string;
  setNear: (text: string) => void;
  width: string;
  setWidth: (text: string) => void;
  disabled: boolean;
}

/** Where to search, and how wide the picture is; both optional. */
export function Hints({ near, setNear, width, setWidth, disabled }: HintsProps) {
  return (
    <>
      <Hint title="Near (optional)" example="13h30m +47°" text={near} set={setNear} disabled={disabled} />
      <Hint title="Width (optional)" example="2°" text={width} set={setWidth} disabled={disabled} />
    </>
  );
}

interface HintProps {
  title: string;
  example: string;
  text: string;
  set: (text: string) => void;
  disabled: boolean;
}

function Hint({ title, example, text, set, disabled }: HintProps) {
  const id = useUniqueId();
  return (
    <label class="cxw-finder-hint" for={id}>
      <span>{title}</span>
      <input
        id={id}
        type="text"
        autocomplete="off"
        spellcheck={false}
        maxLength={80}
        placeholder={example}
        value={text}
        disabled={disabled}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </label>
  );
}

/** What is known of a position that was found, and what speaks against it. */
export function Facts({ found }: { found: FoundPosition }) {
  return (
    <>
      <dl class="cxw-finder-facts">
        {found.facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {[...found.doubts, ...found.remarks].map((text) => (
        <p key={text} class="cxw-problem cxw-warning">
          <bdi>{text}</bdi>
        </p>
      ))}
    </>
  );
}

interface OfferProps {
  offer: string;
  size: string;
  disabled: boolean;
  download: () => void;
}

/** Index files that are missing, with their size and source; downloaded on a click. */
export function Offer({ offer, size, disabled, download }: OfferProps) {
  const id = useUniqueId();
  if (!offer) return null;
  return (
    <div class="cxw-finder-offer">
      <p id={id}>
        <bdi>{offer}</bdi>
      </p>
      <button type="button" disabled={disabled} aria-describedby={id} onClick={download}>
        Download {size}
      </button>
    </div>
  );
}
