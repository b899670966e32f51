// The form of a scene, new or at the server: text, link, images, view, background, and whether the site shows it.

import { useState } from "preact/hooks";
import type { SceneFormState, SceneState } from "../../protocol.ts";
import { isolated } from "../foreign.ts";
import { useTyped, useUniqueId } from "../mount.tsx";
import { TypedInput } from "../typed_input.tsx";
import { sendOnEnter } from "../ui/send_on_enter.ts";
import { Layers } from "./layers.tsx";

/** Send an action of the scene to the kernel. */
export type SendScene = (action: string, more?: object) => void;

export interface SceneFormProps {
  state: SceneState;
  form: SceneFormState;
  send: SendScene;
  /** The kernel is gone. */
  gone: boolean;
}

const TEXT_LIMIT = 5000; // UTF-16 units of the text; the kernel refuses more in words

/** Names of a scene's values for people. */
export const TITLES: Record<string, string> = {
  text: "Text",
  outgoing_url: "“See more” address",
  view: "View",
  layers: "Images",
  background_id: "Background",
  published: "On the site",
};

/** The kernel's words, with the fields named as they are here. */
export const inTitles = (message: string) =>
  Object.entries(TITLES).reduce(
    (said, [name, title]) => said.replaceAll(` ${name}: `, ` ${title}: `).replace(RegExp(`^${name} `), `${title}: `),
    message,
  );

function Texts({ form, send, disabled }: SceneFormProps & { disabled: boolean }) {
  const id = useUniqueId();
  const text = useTyped(form.text, (value) => send("edit", { name: "text", value }));
  const url = useTyped(form.outgoing_url, (value) => send("edit", { name: "outgoing_url", value }));
  return (
    <>
      <label for={`${id}-text`}>{TITLES.text}</label>
      <div>
        <textarea id={`${id}-text`} rows={3} disabled={disabled} {...text} />
        {text.value.length > TEXT_LIMIT / 2 && (
          <span class="cxw-quiet" aria-live="polite">
            {text.value.length} of {TEXT_LIMIT}
          </span>
        )}
      </div>
      <label for={`${id}-url`}>{TITLES.outgoing_url}</label>
      <input id={`${id}-url`} type="url" placeholder="https://…, or nothing" disabled={disabled} {...url} />
    </>
  );
}

function View({ state, form, send, disabled }: SceneFormProps & { disabled: boolean }) {
  return (
    <fieldset class="cxw-wide">
      <legend>View</legend>
      <div class="cxw-row">
        {state.preview && (
          <button type="button" disabled={disabled} onClick={() => send("use_view")}>
            Use the current view
          </button>
        )}
        <button type="button" disabled={disabled} onClick={() => send("whole_image")}>
          Show the whole image
        </button>
        <span class="cxw-quiet" role="status">
          {form.summary}
        </span>
      </div>
      <div class="cxw-scene-view">
        {form.view.map((field) => (
          <TypedInput
            key={field.name}
            field={field}
            taken={form.taken}
            disabled={disabled}
            take={(value) => send("place", { name: field.name, value })}
          />
        ))}
      </div>
    </fieldset>
  );
}

function Background({ state, form, send, disabled }: SceneFormProps & { disabled: boolean }) {
  const id = useUniqueId();
  return (
    <>
      <label for={id}>{TITLES.background_id}</label>
      <select
        id={id}
        value={form.background_id}
        disabled={disabled}
        onChange={(event) => send("edit", { name: "background_id", value: event.currentTarget.value })}
      >
        <option value="" disabled={form.fixed && form.background_id !== ""}>
          The site's own sky
        </option>
        {state.choices.backgrounds.map(({ id: of, name }) => (
          <option key={of} value={of}>
            {isolated(name)}
          </option>
        ))}
      </select>
    </>
  );
}

/** What can be done with the form: review it, and for a scene at the server more. */
function Foot({ state, form, send, gone }: SceneFormProps) {
  const changed = state.changed.map((name) => TITLES[name]).join(", ");
  const isPublished = state.made?.published === true;
  const dead = gone || state.blocked !== "" || state.phase === "reading";
  if (!state.exists)
    return (
      <div class="cxw-row">
        <button type="submit" class="cxw-primary" disabled={dead}>
          Review scene
        </button>
        <span class="cxw-quiet">Nothing is sent yet.</span>
      </div>
    );
  return (
    <div class="cxw-row">
      <button type="submit" class="cxw-primary" disabled={dead || changed === ""}>
        Save changes…
      </button>
      <button type="button" disabled={changed === "" || gone} onClick={() => send("revert")}>
        Discard changes
      </button>
      <button type="button" disabled={dead} onClick={() => send("publish", { value: !isPublished })}>
        {isPublished ? "Unpublish…" : "Show on the site…"}
      </button>
      <span class="cxw-quiet" role="status">
        {state.blocked || (changed ? `Changed: ${changed}. Nothing is saved yet.` : "No unsaved changes.")}
      </span>
      {form.fixed && form.background_id !== "" && <span class="cxw-hidden">A background can be replaced only.</span>}
    </div>
  );
}

export function SceneForm(props: SceneFormProps) {
  const { state, form, send, gone } = props;
  const disabled = gone || state.blocked !== "";
  const problem = state.message || form.message;
  const isSaved = state.exists && state.phase === "made";
  const [wanted, setWanted] = useState("");
  const [forgotten, setForgotten] = useState(false);
  const add = (text: string) => {
    setWanted(text);
    setForgotten(false);
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const isForgotten = !form.fixed && wanted.trim() !== "";
        setForgotten(isForgotten);
        if (isForgotten) event.currentTarget.querySelector<HTMLElement>("[data-add]")?.focus();
        else send("review");
      }}
      onKeyDown={sendOnEnter}
    >
      <div class="cxw-scene-fields">
        <Texts {...props} disabled={disabled} />
        <Layers {...props} disabled={disabled} adding={{ text: wanted, set: add, forgotten }} />
        <View {...props} disabled={disabled} />
        <Background {...props} disabled={disabled} />
        {!state.exists && (
          <label class="cxw-wide cxw-scene-check">
            <input
              type="checkbox"
              checked={form.published}
              disabled={disabled}
              onInput={(event) => send("edit", { name: "published", value: event.currentTarget.checked })}
            />{" "}
            Published: everyone sees it on the handle's page
          </label>
        )}
      </div>
      {form.warnings.map((warning) => (
        <p key={warning} class="cxw-notice">
          <bdi>{warning}</bdi>
        </p>
      ))}
      {problem && (
        <p role={isSaved ? "status" : "alert"} class={isSaved ? undefined : "cxw-error-text"}>
          <bdi>{inTitles(problem)}</bdi>
        </p>
      )}
      <Foot {...props} />
    </form>
  );
}
