// After the receipt: a scene of the image. Asked for, reviewed, sent once, as the image was.

import { useRef, useState } from "preact/hooks";
import type { ReceiptState, SceneState } from "../protocol.ts";
import { type DraftViewProps, useTrait, useUniqueId } from "../shared/mount.tsx";
import { Address } from "../shared/ui/address.tsx";
import { ConfirmOnce } from "../shared/ui/confirm_once.tsx";
import { useFollowingFocus } from "../shared/ui/follow_focus.ts";
import { sendOnEnter } from "../shared/ui/send_on_enter.ts";
import { What } from "./review.tsx";

const TITLES: Record<string, string> = {
  "place.ra_rad": "Middle: right ascension (radians)",
  "place.dec_rad": "Middle: declination (radians)",
  "place.roll_rad": "Turn (radians)",
  "place.roi_height_deg": "Height (degrees)",
  "place.roi_aspect_ratio": "Width / height",
  "content.image_layers.0.image_id": "Image",
  "content.image_layers.0.opacity": "Opacity",
  text: "Text",
  outgoing_url: "“See more” address",
  published: "Published",
};

/** The kernel's words, with the fields named as they are here. */
const inTitles = (message: string) =>
  Object.entries(TITLES).reduce((said, [path, title]) => said.replaceAll(` ${path}: `, ` ${title}: `), message);

/** What the form holds; the page keeps it while the review is looked at. */
interface Wanted {
  text: string;
  outgoing_url: string;
  opacity: number;
  view: boolean;
  published: boolean;
}

const TEXT_LIMIT = 5000; // UTF-16 units of the text; the kernel refuses more in words

type FormProps = { wanted: Wanted; set: (change: Partial<Wanted>) => void; preview: boolean; handle: string };

function Fields({ wanted, set, preview, handle }: FormProps) {
  const id = useUniqueId();
  return (
    <div class="cxw-scene-fields">
      <label for={`${id}-text`}>Text</label>
      <div>
        <textarea
          id={`${id}-text`}
          rows={3}
          value={wanted.text}
          onInput={(event) => set({ text: event.currentTarget.value })}
        />
        {wanted.text.length > TEXT_LIMIT / 2 && (
          <span class="cxw-quiet" aria-live="polite">
            {wanted.text.length} of {TEXT_LIMIT}
          </span>
        )}
      </div>
      <label for={`${id}-url`}>“See more” address</label>
      <input
        id={`${id}-url`}
        type="url"
        placeholder="https://…, or nothing"
        value={wanted.outgoing_url}
        onInput={(event) => set({ outgoing_url: event.currentTarget.value })}
      />
      <label for={`${id}-opacity`}>Opacity of the image</label>
      <div class="cxw-row">
        <input
          id={`${id}-opacity`}
          type="range"
          min={0}
          max={100}
          value={Math.round(wanted.opacity * 100)}
          onInput={(event) => set({ opacity: event.currentTarget.valueAsNumber / 100 })}
        />
        <span>{Math.round(wanted.opacity * 100)} %</span>
      </div>
      {preview && (
        <label class="cxw-wide">
          <input
            type="checkbox"
            checked={wanted.view}
            onInput={(event) => set({ view: event.currentTarget.checked })}
          />{" "}
          Use the view shown in the preview now; else the scene shows the whole image
        </label>
      )}
      <label class="cxw-wide">
        <input
          type="checkbox"
          checked={wanted.published}
          onInput={(event) => set({ published: event.currentTarget.checked })}
        />{" "}
        Published: everybody sees it on @<bdi>{handle}</bdi>'s page
      </label>
    </div>
  );
}

function Review({
  state,
  confirm,
  cancel,
}: {
  state: SceneState;
  confirm: (ticket: string) => void;
  cancel: () => void;
}) {
  const review = state.review;
  if (!review) return null;
  return (
    <div role="dialog" aria-label="Review of the scene" onKeyDown={(event) => event.key === "Escape" && cancel()}>
      <h4 tabIndex={-1} data-focus>
        Create this scene?
      </h4>
      <p>
        View: {review.view}.{" "}
        {review.published ? <b>Everyone will see it.</b> : "Unlisted: only people with the link can see it."} A scene
        can be changed on the site later, but not deleted.
      </p>
      <What review={review} titles={TITLES} />
      <div class="cxw-row">
        <ConfirmOnce ticket={review.ticket} confirm={confirm}>
          Create scene
        </ConfirmOnce>
        <button type="button" onClick={cancel}>
          Back
        </button>
      </div>
    </div>
  );
}

function Made({ receipt, another }: { receipt: NonNullable<SceneState["receipt"]>; another: () => void }) {
  return (
    <div role="status">
      <h4 tabIndex={-1} data-focus>
        {receipt.published ? "Scene published" : "Scene created, not published"}
      </h4>
      <p>
        <code>{receipt.id}</code> · <Address url={receipt.record_url}>Record</Address>
        {receipt.scene_url && (
          <>
            {" "}
            · <Address url={receipt.scene_url}>Its page</Address>
          </>
        )}
      </p>
      <button type="button" onClick={another}>
        Create another…
      </button>
    </div>
  );
}

export function SceneView({ kernel, draft, image }: DraftViewProps & { image: ReceiptState }) {
  const state = useTrait<SceneState>(kernel, "scene");
  const root = useRef<HTMLElement>(null);
  const [open, setOpen] = useState(false);
  const [wanted, setWanted] = useState<Wanted>({
    text: image.note,
    outgoing_url: "",
    opacity: 1,
    view: true,
    published: false,
  });
  useFollowingFocus(root, open ? state.phase : "closed");
  if (state.phase === "none") return null;
  const send = (action: string, more: object = {}) => draft.send({ kind: "scene", action, ...more });
  const another = () => {
    setOpen(true);
    send("another");
  };
  const failed = state.phase === "failed" || state.phase === "unclear";
  return (
    <section ref={root} aria-label="Scene" class="cxw-scene" data-scene={state.phase}>
      {state.phase === "offer" && (
        <>
          <h4 tabIndex={-1} data-focus>
            Scene
          </h4>
          <p>To show the image on the website, create a scene.</p>
          {open ? (
            <form
              noValidate
              onSubmit={(event) => {
                event.preventDefault();
                send("review", wanted);
              }}
              onKeyDown={sendOnEnter}
            >
              <Fields
                wanted={wanted}
                set={(change) => setWanted({ ...wanted, ...change })}
                preview={state.preview}
                handle={image.handle}
              />
              {state.message && (
                <p role="alert" class="cxw-error-text">
                  <bdi>{inTitles(state.message)}</bdi>
                </p>
              )}
              <div class="cxw-row">
                <button type="submit" class="cxw-primary" disabled={draft.gone}>
                  Review scene
                </button>
                <span class="cxw-quiet">Nothing is sent yet.</span>
              </div>
            </form>
          ) : (
            <button type="button" onClick={() => setOpen(true)}>
              Create scene…
            </button>
          )}
        </>
      )}
      {state.phase === "review" && (
        <Review state={state} confirm={(ticket) => send("confirm", { ticket })} cancel={() => send("cancel")} />
      )}
      {state.phase === "sending" && (
        <div class="cxw-row" role="status" tabIndex={-1} data-focus>
          <progress aria-label="Creating the scene" /> <bdi>{state.progress}</bdi>
          {state.waiting && (
            <button type="button" onClick={() => send("cancel")}>
              Stop waiting
            </button>
          )}
        </div>
      )}
      {failed && (
        <div role="alert" tabIndex={-1} data-focus>
          <b>
            {state.phase === "unclear" ? "It is not clear whether the scene was created." : "No scene was created."}
          </b>{" "}
          <bdi>{state.message}</bdi>
          <div class="cxw-row">
            {state.phase === "unclear" && (
              <>
                <button type="button" class="cxw-primary" onClick={() => send("check")}>
                  Look again
                </button>
                <button type="button" onClick={() => send("resend")}>
                  Not on the server: send again
                </button>
              </>
            )}
            <button type="button" onClick={() => send("cancel")}>
              Back
            </button>
          </div>
        </div>
      )}
      {state.phase === "made" && state.receipt && <Made receipt={state.receipt} another={another} />}
    </section>
  );
}
