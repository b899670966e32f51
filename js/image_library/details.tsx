// The image that is looked at: its whole name, a larger picture, and what can be done with it.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Comm } from "../shared/comm.ts";
import { useUniqueId } from "../shared/mount.tsx";
import { sendOnEnter } from "../shared/send_on_enter.ts";
import { bytes, type Row } from "./state.ts";
import { thumbOf, type Thumb } from "./thumbs.ts";

export type Mode = "closed" | "open" | "rename" | "delete";

interface DetailsProps {
  comm: Comm;
  image: Row;
  /** Of the library: its name may have changed. */
  revision: number;
  mode: Mode;
  setMode(mode: Mode): void;
  /** Gives the keyboard back to the grid. */
  leave(): void;
  deleted(): void;
}

export function Details({ comm, image, revision, mode, setMode, leave, deleted }: DetailsProps) {
  const [about, setAbout] = useState({ id: "", name: "", url: "" });
  const name = about.id === image.id ? about.name : image.name;
  useEffect(() => {
    comm.ask("about", { image: image.id }).then(
      ({ content }) => setAbout({ id: image.id, name: String(content.name), url: String(content.url) }),
      () => {}, // it was deleted meanwhile
    );
  }, [comm, image.id, revision]);
  const [fault, setFault] = useState("");
  useEffect(() => setFault(""), [image.id]);
  const show = (kind: "sky" | "draft") =>
    void comm.ask(kind, { image: image.id }).then(
      () => setFault(""),
      (error: Error) => setFault(error.message),
    );
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    setMode("closed");
    leave();
  };
  return (
    <section class="cxw-details" aria-label={`The image ${name.slice(0, 100)}`} onKeyDown={onKeyDown}>
      {mode === "rename" ? (
        <Rename comm={comm} image={image} name={name} done={() => (setMode("closed"), leave())} />
      ) : (
        <h3 dir="auto">{name || "(without a name)"}</h3>
      )}
      {mode === "delete" && <Delete comm={comm} image={image} name={name} keep={() => (setMode("closed"), leave())} deleted={deleted} />}
      {mode !== "delete" && mode !== "rename" && (
        <div class="cxw-row">
          <button type="button" aria-expanded={mode === "open"} onClick={() => setMode(mode === "open" ? "closed" : "open")}>
            {mode === "open" ? "Close" : "Open"}
          </button>
          <button type="button" onClick={() => show("sky")}>
            Show on the sky
          </button>
          <button type="button" onClick={() => show("draft")}>
            Use in a draft
          </button>
          <button type="button" onClick={() => setMode("rename")}>
            Rename
          </button>
          <button type="button" onClick={() => setMode("delete")}>
            Delete …
          </button>
        </div>
      )}
      <div role="alert" class="cxw-refusal">
        {fault}
      </div>
      {mode === "open" && <Picture key={image.id} comm={comm} image={image} name={name} />}
    </section>
  );
}

function Picture({ comm, image, name }: { comm: Comm; image: Row; name: string }) {
  const [shown, setShown] = useState<(Thumb & { words: string }) | null>(null);
  useEffect(() => {
    let needed = true;
    comm.ask("picture", { image: image.id }).then(
      ({ content, buffers }) => {
        const size = content.size as [number, number] | undefined;
        const words = size ? `${size[0]} × ${size[1]} pixels, ${bytes(content.bytes as number)}` : "";
        if (needed) setShown({ ...thumbOf(content, buffers[0]), words });
      },
      (error: Error) => needed && setShown({ src: "", none: error.message, words: "" }),
    );
    return () => void (needed = false);
  }, [comm, image.id]);
  if (!shown) return <p role="status">Opening …</p>;
  if (shown.none) return <p role="status">{shown.none}</p>;
  return (
    <figure class="cxw-picture">
      <img src={shown.src} alt={name} />
      <figcaption class="cxw-quiet" aria-live="polite">
        {shown.words}
      </figcaption>
    </figure>
  );
}

function Rename({ comm, image, name, done }: { comm: Comm; image: Row; name: string; done(): void }) {
  const id = useUniqueId();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(name);
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => input.current?.select(), []);
  useEffect(() => input.current?.focus(), [busy]);
  const save = async (event: Event) => {
    event.preventDefault();
    if (typed === name) return done();
    setBusy(true);
    try {
      await comm.ask("rename", { image: image.id, name: typed });
      done();
    } catch (error) {
      const shown = typed.length > 60 ? `${typed.slice(0, 59)}…` : typed;
      setRefusal(`It could not be called “${shown}”. ${(error as Error).message}`);
      setTyped(name);
      setBusy(false);
    }
  };
  return (
    <form class="cxw-rename" onSubmit={(event) => void save(event)} onKeyDown={sendOnEnter}>
      <label for={id}>Name</label>
      <div class="cxw-row">
        <input
          ref={input}
          id={id}
          type="text"
          dir="auto"
          autocomplete="off"
          value={typed}
          disabled={busy}
          aria-invalid={refusal !== ""}
          aria-describedby={`${id}-refusal`}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <button type="submit" class="cxw-primary" disabled={busy}>
          Rename
        </button>
        <button type="button" onClick={done}>
          Cancel
        </button>
      </div>
      <div id={`${id}-refusal`} role="alert" class="cxw-refusal">
        {refusal}
      </div>
    </form>
  );
}

function Delete({ comm, image, name, keep, deleted }: { comm: Comm; image: Row; name: string; keep(): void; deleted(): void }) {
  const id = useUniqueId();
  const button = useRef<HTMLButtonElement>(null);
  const [message, setMessage] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => button.current?.focus(), []);
  const remove = () => {
    setBusy(true);
    comm.ask("delete", { image: image.id }).then(deleted, (error: Error) => {
      setMessage(error.message);
      setBusy(false);
    });
  };
  return (
    <div class="cxw-question" role="alertdialog" aria-labelledby={`${id}-question`} aria-describedby={`${id}-words`}>
      <b id={`${id}-question`}>
        Delete “<bdi>{name}</bdi>” from the library?
      </b>
      <p id={`${id}-words`}>This can't be undone, and whoever uses its address will not find it any more.</p>
      <div class="cxw-row">
        <button type="button" ref={button} onClick={keep}>
          Keep it
        </button>
        <button type="button" class="cxw-danger" disabled={busy} onClick={remove}>
          {busy ? "Deleting …" : "Delete it"}
        </button>
      </div>
      <div role="alert" class="cxw-refusal">
        {message}
      </div>
    </div>
  );
}
