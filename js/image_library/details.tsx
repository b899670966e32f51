// The selected image: its whole name, a larger picture, and actions.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { LibraryAbout, LibraryPicture } from "../protocol.ts";
import { isolated } from "../shared/foreign.ts";
import type { KernelLink } from "../shared/kernel_link.ts";
import { useUniqueId } from "../shared/mount.tsx";
import { sendOnEnter } from "../shared/ui/send_on_enter.ts";
import { bytes, type Row } from "./state.ts";
import { type Thumb, thumbOf } from "./thumbs.ts";

export type Mode = "closed" | "open" | "rename" | "delete";

interface DetailsProps {
  kernel: KernelLink;
  image: Row;
  /** Of the library: its name may have changed. */
  revision: number;
  mode: Mode;
  setMode(mode: Mode): void;
  /** Move the focus back to the grid. */
  leave(): void;
  deleted(): void;
}

export function Details({ kernel, image, revision, mode, setMode, leave, deleted }: DetailsProps) {
  const [about, setAbout] = useState({ id: "", name: "", url: "" });
  const name = about.id === image.id ? about.name : image.name;
  useEffect(() => {
    kernel.request<LibraryAbout>("about", { image: image.id }).then(
      ({ content }) => setAbout({ id: image.id, name: content.name, url: content.url }),
      () => {}, // it was deleted meanwhile
    );
  }, [kernel, image.id, revision]);
  const [fault, setFault] = useState("");
  useEffect(() => setFault(""), [image.id]);
  const show = (kind: "sky" | "draft") =>
    void kernel.request(kind, { image: image.id }).then(
      () => setFault(""),
      (error: Error) => setFault(error.message),
    );
  const close = () => {
    setMode("closed");
    leave();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  };
  return (
    <section class="cxw-details" aria-label={`The image ${isolated(name.slice(0, 100))}`} onKeyDown={onKeyDown}>
      {mode === "rename" ? (
        <Rename kernel={kernel} image={image} name={name} done={close} />
      ) : (
        <h3 dir="auto">
          <bdi>{name || "(unnamed)"}</bdi>
        </h3>
      )}
      {mode === "delete" && <Delete kernel={kernel} image={image} name={name} keep={close} deleted={deleted} />}
      {mode !== "delete" && mode !== "rename" && (
        <div class="cxw-row">
          <button
            type="button"
            aria-expanded={mode === "open"}
            onClick={() => setMode(mode === "open" ? "closed" : "open")}
          >
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
        <bdi>{fault}</bdi>
      </div>
      {mode === "open" && <Picture key={image.id} kernel={kernel} image={image} name={name} />}
    </section>
  );
}

function Picture({ kernel, image, name }: { kernel: KernelLink; image: Row; name: string }) {
  const [shown, setShown] = useState<(Thumb & { words: string }) | null>(null);
  useEffect(() => {
    let needed = true;
    kernel.request<LibraryPicture>("picture", { image: image.id }).then(
      ({ content, buffers }) => {
        const { size } = content;
        const words = size ? `${size[0]} × ${size[1]} pixels, ${bytes(content.bytes ?? 0)}` : "";
        if (needed) setShown({ ...thumbOf(content, buffers[0]), words });
      },
      (reason: Error) => needed && setShown({ src: "", error: reason.message, words: "" }),
    );
    return () => {
      needed = false;
    };
  }, [kernel, image.id]);
  if (!shown) return <p role="status">Loading …</p>;
  if (shown.error)
    return (
      <p role="status">
        <bdi>{shown.error}</bdi>
      </p>
    );
  return (
    <figure class="cxw-picture">
      <img src={shown.src} alt={isolated(name)} />
      <figcaption class="cxw-quiet" aria-live="polite">
        {shown.words}
      </figcaption>
    </figure>
  );
}

function Rename({ kernel, image, name, done }: { kernel: KernelLink; image: Row; name: string; done(): void }) {
  const id = useUniqueId();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(name);
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  useLayoutEffect(() => input.current?.select(), []);
  useLayoutEffect(() => input.current?.focus(), [busy]);
  const save = async (event: Event) => {
    event.preventDefault();
    if (typed === name) return done();
    setBusy(true);
    try {
      await kernel.request("rename", { image: image.id, name: typed });
      done();
    } catch (error) {
      const shown = typed.length > 60 ? `${typed.slice(0, 59)}…` : typed;
      setRefusal(`The image was not renamed to “${isolated(shown)}”. ${(error as Error).message}`);
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
        <bdi>{refusal}</bdi>
      </div>
    </form>
  );
}

function Delete({
  kernel,
  image,
  name,
  keep,
  deleted,
}: {
  kernel: KernelLink;
  image: Row;
  name: string;
  keep(): void;
  deleted(): void;
}) {
  const id = useUniqueId();
  const button = useRef<HTMLButtonElement>(null);
  const [message, setMessage] = useState("");
  const [busy, setBusy] = useState(false);
  useLayoutEffect(() => button.current?.focus(), []); // before another key can come
  const remove = () => {
    setBusy(true);
    kernel.request("delete", { image: image.id }).then(deleted, (error: Error) => {
      setMessage(error.message);
      setBusy(false);
    });
  };
  return (
    <div class="cxw-question" role="alertdialog" aria-labelledby={`${id}-question`} aria-describedby={`${id}-words`}>
      <b id={`${id}-question`}>
        Delete “<bdi>{name}</bdi>” from the library?
      </b>
      <p id={`${id}-words`}>This cannot be undone. Pages that use its address will no longer find it.</p>
      <div class="cxw-row">
        <button type="button" ref={button} onClick={keep}>
          Cancel
        </button>
        <button type="button" class="cxw-danger" disabled={busy} onClick={remove}>
          {busy ? "Deleting …" : "Delete"}
        </button>
      </div>
      <div role="alert" class="cxw-refusal">
        <bdi>{message}</bdi>
      </div>
    </div>
  );
}
