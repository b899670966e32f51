// A scene from its form to what the server has: review, confirmation, progress, outcome. The same in the publisher and in the list of scenes.

import "../fields.css";
import "../ui/value_table.css";
import "./scene.css";
import { useRef } from "preact/hooks";
import type { SceneReceiptState, SceneReview, SceneState } from "../../protocol.ts";
import { Address } from "../ui/address.tsx";
import { ConfirmOnce, SentBy } from "../ui/confirm_once.tsx";
import { useFollowingFocus } from "../ui/follow_focus.ts";
import { RequestDetails } from "../ui/request_details.tsx";
import { inTitles, SceneForm, type SendScene, TITLES } from "./form.tsx";

interface SceneViewProps {
  state: SceneState;
  send: SendScene;
  /** The kernel is gone. */
  gone: boolean;
  /** A button in the form's place, while it is closed. */
  offer?: (() => void) | null;
}

function Review({
  review,
  exists,
  message,
  send,
}: {
  review: SceneReview;
  exists: boolean;
  message: string;
  send: SendScene;
}) {
  const isPublication = exists && review.rows.length === 1 && review.rows[0]!.name === "published";
  const title = !exists
    ? "Create this scene?"
    : !isPublication
      ? "Save these changes?"
      : review.published
        ? "Show this scene on the site?"
        : "Unpublish this scene?";
  const confirm = !exists ? "Create scene" : !isPublication ? "Save" : review.published ? "Publish" : "Unpublish";
  return (
    <div role="dialog" aria-label="Review of the scene" onKeyDown={(event) => event.key === "Escape" && send("cancel")}>
      <h4 tabIndex={-1} data-focus>
        {title}
      </h4>
      {message && (
        <p class="cxw-error-text">
          <bdi>{inTitles(message)}</bdi>
        </p>
      )}
      {!exists && (
        <p>
          {review.published ? <b>Everyone will see it.</b> : "Unlisted: only people with the link can see it."} A scene
          can be changed later, but its images can't, and it can't be deleted.
        </p>
      )}
      {isPublication && (
        <p>
          {review.published
            ? "Everyone will see it on the handle's page."
            : "It disappears from the handle's page. Whoever has its link still sees it."}
        </p>
      )}
      <table class="cxw-values cxw-scene-review">
        <caption class="cxw-hidden">{exists ? "Changes" : "The scene"}</caption>
        <thead class={exists ? undefined : "cxw-hidden"}>
          <tr>
            <th scope="col">Value</th>
            {exists && <th scope="col">Now</th>}
            <th scope="col">{exists ? "New" : "Content"}</th>
          </tr>
        </thead>
        <tbody>
          {review.rows.map(({ name, before, after, meanwhile }) => (
            <tr key={name}>
              <th scope="row">{TITLES[name] ?? name}</th>
              {exists && (
                <td>
                  <bdi>{before}</bdi>
                  {meanwhile && <div class="cxw-warning">Changed on the server since you read it.</div>}
                </td>
              )}
              <td>
                <bdi>{after}</bdi>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {review.warnings.map((warning) => (
        <p key={warning} class="cxw-notice">
          <bdi>{warning}</bdi>
        </p>
      ))}
      <RequestDetails review={review} titles={{}} />
      <SentBy account={review.account} verb="saves" />
      <div class="cxw-row">
        <ConfirmOnce ticket={review.ticket} confirm={(ticket) => send("confirm", { ticket })}>
          {confirm}
        </ConfirmOnce>
        <button type="button" onClick={() => send("cancel")}>
          Back
        </button>
      </div>
    </div>
  );
}

/** The owner's ways to a scene. */
function Links({ made }: { made: SceneReceiptState }) {
  const links: [string | null, string][] = [
    [made.record_url, "Record"],
    [made.scene_url, "Its page"],
    [made.edit_url, "Edit on the site"],
    [made.dashboard_url, "Dashboard"],
  ];
  return (
    <p>
      <code>{made.id}</code>
      {links.map(
        ([url, word]) =>
          url && (
            <>
              {" "}
              · <Address url={url}>{word}</Address>
            </>
          ),
      )}
    </p>
  );
}

/** A scene that was made here: its links, and what can be done next. */
function Made({
  made,
  message,
  send,
  gone,
}: {
  made: SceneReceiptState;
  message: string;
  send: SendScene;
  gone: boolean;
}) {
  return (
    <div role="status">
      <h4 tabIndex={-1} data-focus>
        {made.published ? "Scene published" : "Scene created, not published"}
      </h4>
      <Links made={made} />
      {message && (
        <p>
          <bdi>{inTitles(message)}</bdi>
        </p>
      )}
      <div class="cxw-row">
        <button
          type="button"
          class={made.published ? undefined : "cxw-primary"}
          disabled={gone}
          onClick={() => send("publish", { value: !made.published })}
        >
          {made.published ? "Unpublish…" : "Show on the site…"}
        </button>
        <button type="button" disabled={gone} onClick={() => send("edit_made")}>
          Edit scene…
        </button>
        <button type="button" disabled={gone} onClick={() => send("another")}>
          Create another…
        </button>
      </div>
    </div>
  );
}

function Failed({ state, send }: { state: SceneState; send: SendScene }) {
  const unclear = state.phase === "unclear";
  const what = state.exists ? "saved" : "created";
  return (
    <div role="alert" tabIndex={-1} data-focus>
      <b>{unclear ? `It is not clear whether the scene was ${what}.` : `The scene was not ${what}.`}</b>{" "}
      <bdi>{inTitles(state.message)}</bdi>
      <div class="cxw-row">
        {unclear && (
          <button type="button" class="cxw-primary" onClick={() => send(state.exists ? "review" : "check")}>
            Check again
          </button>
        )}
        {unclear && !state.exists && (
          <button type="button" onClick={() => send("resend")}>
            Not on the server: send again
          </button>
        )}
        <button type="button" onClick={() => send("cancel")}>
          Back
        </button>
      </div>
    </div>
  );
}

/** Changes that an earlier session left unsaved. */
function Earlier({ names, send }: { names: string[]; send: SendScene }) {
  return (
    <div class="cxw-notice" role="status">
      An earlier session left changes of this scene unsaved: {names.map((name) => TITLES[name]).join(", ")}.{" "}
      <button type="button" onClick={() => send("restore")}>
        Restore
      </button>{" "}
      <button type="button" onClick={() => send("discard")}>
        Discard
      </button>
    </div>
  );
}

export function SceneView({ state, send, gone, offer = null }: SceneViewProps) {
  const root = useRef<HTMLElement>(null);
  const { phase, form, made, review } = state;
  const isForm = phase === "editing" || (phase === "made" && state.open);
  useFollowingFocus(root, offer ? "closed" : isForm && state.exists ? "form" : phase);
  if (phase === "none" || !form) return null;
  return (
    <section ref={root} aria-label="Scene" class="cxw-scene" data-scene={phase}>
      {isForm && (
        <>
          <h4 tabIndex={-1} data-focus>
            {state.exists ? (made?.published ? "Scene, published" : "Scene, unlisted") : "Scene"}
          </h4>
          {state.exists && made && <Links made={made} />}
          {state.earlier.length > 0 && <Earlier names={state.earlier} send={send} />}
          {offer ? (
            <>
              <p>To show the image on the website, create a scene.</p>
              <button type="button" onClick={offer}>
                Create scene…
              </button>
            </>
          ) : (
            <SceneForm state={state} form={form} send={send} gone={gone} />
          )}
        </>
      )}
      {phase === "review" && review && (
        <Review review={review} exists={state.exists} message={state.message} send={send} />
      )}
      {(phase === "reading" || phase === "sending") && (
        <div class="cxw-row" role="status" tabIndex={-1} data-focus>
          <progress aria-label={phase === "sending" ? "Sending the scene" : "Reading the scene"} />{" "}
          <bdi>{state.progress}</bdi>
          {state.waiting && (
            <button type="button" onClick={() => send("cancel")}>
              Stop waiting
            </button>
          )}
        </div>
      )}
      {(phase === "failed" || phase === "unclear") && <Failed state={state} send={send} />}
      {phase === "made" && !state.open && made && <Made made={made} message={state.message} send={send} gone={gone} />}
    </section>
  );
}
