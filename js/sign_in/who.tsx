// The account that is signed in, and whether it may add images under a handle.

import { useEffect, useState } from "preact/hooks";
import type { SignInStatus as Status } from "../protocol.ts";
import { isolated } from "../shared/foreign.ts";
import { useUniqueId, type ViewProps } from "../shared/mount.tsx";
import { sendOnEnter } from "../shared/ui/send_on_enter.ts";

/** Describe whether this account may add images. */
function permissionMessage({ permission, handle, handle_message: message }: Status): string {
  switch (permission) {
    case "checking":
      return "Checking …";
    case "yes":
      return `You may add images as @${isolated(handle)}.`;
    case "no":
      return `You may not add images as @${isolated(handle)}: it belongs to another account.`;
    case "missing":
      return `There is no handle @${isolated(handle)}. Handles are case-sensitive.`;
    case "unknown":
      return message;
    default:
      return "Enter the handle that you publish under.";
  }
}

function HandleForm({ kernel, status }: ViewProps & { status: Status }) {
  const id = useUniqueId();
  const [typed, setTyped] = useState(status.handle);
  useEffect(() => setTyped(status.handle), [status.handle]);
  const ask = (event: Event) => {
    event.preventDefault();
    if (typed.trim()) kernel.send({ kind: "handle", handle: typed.trim() });
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
        aria-describedby={`${id}-permission`}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <button type="submit">Check permission</button>
      <span id={`${id}-permission`} role="status" class={`cxw-permission cxw-permission-${status.permission}`}>
        <bdi>{permissionMessage(status)}</bdi>
      </span>
    </form>
  );
}

export function Who(props: ViewProps & { status: Status }) {
  const { kernel, status } = props;
  return (
    <>
      <div class="cxw-row">
        <span role="status" tabIndex={-1} data-focus>
          Signed in
          {status.username && (
            <>
              {" "}
              as{" "}
              <b>
                <bdi>{status.username}</bdi>
              </b>
            </>
          )}{" "}
          at <code>{status.api_url}</code>
        </span>
        <button type="button" onClick={() => kernel.send({ kind: "sign_out" })}>
          Sign out
        </button>
      </div>
      {status.notice && (
        <div class="cxw-notice" role="status">
          {status.notice}
        </div>
      )}
      {status.service === "constellations" && <HandleForm {...props} />}
    </>
  );
}
