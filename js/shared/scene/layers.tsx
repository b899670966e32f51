// The images of a scene as layers: their order and opacity, and more of them. Those of a scene at the server are fixed.

import { useRef } from "preact/hooks";
import type { SceneLayerState, SceneState } from "../../protocol.ts";
import { isolated } from "../foreign.ts";
import { useTyped, useUniqueId } from "../mount.tsx";
import type { SceneFormProps } from "./form.tsx";

const percent = (opacity: number) => Math.round(opacity * 100);

/** What is typed to add an image, and not added yet. */
export interface Adding {
  text: string;
  set: (text: string) => void;
  /** The scene was to be reviewed without it. */
  forgotten: boolean;
}

export function Layers({
  state,
  form,
  send,
  disabled,
  adding,
}: SceneFormProps & { disabled: boolean; adding: Adding }) {
  const list = useRef<HTMLOListElement>(null);
  const { layers, fixed } = form;
  const top = [...layers].reverse(); // as they lie: the topmost first
  return (
    <fieldset class="cxw-wide">
      <legend>Images, topmost first</legend>
      {layers.length === 0 && <p class="cxw-quiet">Add an image: without one there is no scene.</p>}
      <ol ref={list} class="cxw-scene-layers">
        {top.map((layer, index) => (
          <Layer
            key={layer.id}
            layer={layer}
            fixed={fixed}
            disabled={disabled}
            isTop={index === 0}
            isLowest={index === top.length - 1}
            fade={(value) => send("fade_layer", { of: layer.id, value })}
            move={(value) => send("move_layer", { of: layer.id, value })}
            remove={() => {
              send("remove_layer", { of: layer.id });
              list.current?.closest("fieldset")?.querySelector<HTMLElement>("[data-add]")?.focus();
            }}
          />
        ))}
      </ol>
      {fixed ? (
        <p class="cxw-quiet">
          The images of a scene can't be changed once it is made. For other images, create a new scene.
        </p>
      ) : (
        <Adder state={state} form={form} send={send} disabled={disabled} adding={adding} />
      )}
    </fieldset>
  );
}

interface LayerProps {
  layer: SceneLayerState;
  fixed: boolean;
  disabled: boolean;
  isTop: boolean;
  isLowest: boolean;
  fade: (opacity: number) => void;
  move: (step: number) => void;
  remove: () => void;
}

function Layer({ layer, fixed, disabled, isTop, isLowest, fade, move, remove }: LayerProps) {
  const name = isolated(layer.name);
  const opacity = useTyped(`${percent(layer.opacity)}`, (value) => fade(Number(value) / 100));
  if (fixed)
    return (
      <li class="cxw-row">
        <bdi class="cxw-scene-layer-name">{layer.name}</bdi>
        <span>Opacity {percent(layer.opacity)} %</span>
      </li>
    );
  return (
    <li class="cxw-row">
      <bdi class="cxw-scene-layer-name">{layer.name}</bdi>
      <input type="range" aria-label={`Opacity of ${name}`} min={0} max={100} disabled={disabled} {...opacity} />
      <span>{opacity.value} %</span>
      <button type="button" disabled={disabled || isTop} aria-label={`Move up: ${name}`} onClick={() => move(1)}>
        ↑
      </button>
      <button type="button" disabled={disabled || isLowest} aria-label={`Move down: ${name}`} onClick={() => move(-1)}>
        ↓
      </button>
      <button type="button" disabled={disabled} aria-label={`Remove: ${name}`} onClick={remove}>
        Remove
      </button>
    </li>
  );
}

/** Chooses one more image: one of the handle's newest by its title, or any by its id. */
function Adder({
  state,
  form,
  send,
  disabled,
  adding: { text: wanted, set: setWanted, forgotten },
}: Omit<SceneFormProps, "gone"> & { disabled: boolean; adding: Adding }) {
  const id = useUniqueId();
  const { images, message } = state.choices;
  const offered = images.filter((image) => form.layers.every((layer) => layer.id !== image.id));
  const chosen = chosenOf(offered, wanted.trim());
  const isId = /^[0-9a-f]{24}$/i.test(chosen);
  const add = () => {
    if (!isId) return;
    send("add_layer", { of: chosen.toLowerCase() });
    setWanted("");
  };
  return (
    <div class="cxw-row">
      <label for={id}>Add an image</label>
      <input
        id={id}
        data-add
        type="text"
        list={`${id}-images`}
        autocomplete="off"
        placeholder="Title or id"
        value={wanted}
        disabled={disabled}
        aria-invalid={forgotten}
        aria-describedby={forgotten ? `${id}-forgotten` : undefined}
        onInput={(event) => setWanted(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          event.stopPropagation(); // it does not review the scene
          add();
        }}
      />
      <datalist id={`${id}-images`}>
        {offered.map((image) => (
          <option key={image.id} value={labelOf(image)} />
        ))}
      </datalist>
      <button type="button" disabled={disabled || !isId} onClick={add}>
        Add
      </button>
      {forgotten && (
        <span id={`${id}-forgotten`} class="cxw-error-text" role="alert">
          This image is not in the scene. Add it, or clear the field, then review the scene.
        </span>
      )}
      <span class="cxw-quiet" role="status">
        {wanted.trim() && !isId ? hintOf(offered, wanted.trim()) : message && <bdi>{message}</bdi>}
      </span>
    </div>
  );
}

type Choice = SceneState["choices"]["images"][number];

const labelOf = ({ id, name }: Choice) => `${name} · ${id}`;

const matching = (offered: Choice[], typed: string) =>
  offered.filter((image) => labelOf(image).toLowerCase().includes(typed.toLowerCase()));

/** The id of the image that a line of the list or a title names, if only one has that title; otherwise what was typed. */
function chosenOf(offered: Choice[], typed: string): string {
  const named = offered.filter(({ name }) => name.toLowerCase() === typed.toLowerCase());
  return (
    (offered.find((image) => labelOf(image) === typed) ?? (named.length === 1 ? named[0] : undefined))?.id ?? typed
  );
}

function hintOf(offered: Choice[], typed: string): string {
  const count = matching(offered, typed).length;
  if (count === 0) return "No image in the list has this title. Enter the image's id.";
  return count === 1 ? "Choose the image from the list." : `${count} images match: choose one from the list.`;
}
