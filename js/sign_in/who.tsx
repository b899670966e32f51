// Who is signed in, and whether they may add images under a handle.

import { useEffect, useState } from "preact/hooks";
import { useUniqueId, type ViewProps } from "../shared/mount.tsx";
import { sendOnEnter } from "../shared/send_on_enter.ts";
import type { Status } from "./status.ts";

/** Whether this account may add images, in words. */
export function mayWords({ may, handle, handle_message: message }: Status): string {
  switch (may) {
    case "asking":
      return "Asking …";
    case "yes":
      return `You may add images as @${handle}.`;
    case "no":
      return `@${handle} belongs to somebody else: you may not add images under it.`;
    case "missing":
      return `There is no handle @${handle}. Capital letters matter.`;
    case "unknown":
      return message;
    default:
      return "Under which handle do you publish?";
  }
}

function HandleForm({ draft, status }: ViewProps & { status: Status }) {
  const id = useUniqueId();
  const [typed, setTyped] = useState(status.handle);
  useEffect(() => setTyped(status.handle), [status.handle]);
  const ask = (event: Event) => {
    event.preventDefault();
    if (typed.trim()) draft.send({ kind: "handle", handle: typed.trim() });
  };
  return (
    <form class="cxw-row" onSubmit={ask} onKeyDown={sendOnEnter}>
      <label for={id}>Handle</label>
      <input
        id={id}
        class="cxw-handle"
        type="text"
        autocomplete="off"
        spellcheck={false}
        value={typed}
        aria-describedby={`${id}-may`}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <button type="submit">May I add images?</button>
      <span id={`${id}-may`} role="status" class={`cxw-may cxw-may-${status.may}`}>
        {mayWords(status)}
      </span>
    </form>
  );
}

export function Who(props: ViewProps & { status: Status }) {
  const { draft, status } = props;
  return (
    <>
      <div class="cxw-row">
        <span role="status" tabIndex={-1} data-focus>
          Signed in{status.username && <> as <b>{status.username}</b></>} at <code>{status.api_url}</code>
        </span>
        <button type="button" onClick={() => draft.send({ kind: "sign_out" })}>
          Sign out
        </button>
      </div>
      {status.service === "constellations" && <HandleForm {...props} />}
    </>
  );
}
