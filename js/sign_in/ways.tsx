// The ways in: by the browser, by name and password, by a token. What is typed goes to the kernel once, and is gone from the page.

import { useRef } from "preact/hooks";
import { Address } from "../shared/address.tsx";
import { useUniqueId, type ViewProps } from "../shared/mount.tsx";
import { sendOnEnter } from "../shared/send_on_enter.ts";
import type { Status } from "./status.ts";

type WayProps = ViewProps & { status: Status };

/** Whether this page comes from the machine that it is shown on, as far as a page can know: a server there, or an editor. */
export function isNear({ protocol, hostname }: { protocol: string; hostname: string }): boolean {
  return !/^https?:$/.test(protocol) || hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** A field whose content is a secret: nothing keeps it, not even the field. */
function Secret({ name, label, autocomplete }: { name: string; label: string; autocomplete: string }) {
  const id = useUniqueId();
  return (
    <label for={id}>
      {label}
      <input id={id} name={name} type="password" autocomplete={autocomplete} spellcheck={false} required />
    </label>
  );
}

/** Sends what was typed into a form, by the names of its fields, and empties it. */
function SecretForm({ draft, kind, button, main, children }: ViewProps & FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    const typed = Object.fromEntries([...new FormData(form.current!)].map(([name, value]) => [name, String(value)]));
    for (const input of form.current!.querySelectorAll("input")) input.value = "";
    draft.send({ kind, ...typed });
  };
  return (
    <form ref={form} class="cxw-row" onSubmit={submit} onKeyDown={sendOnEnter}>
      {children}
      <button type="submit" class={main ? "cxw-primary" : ""}>
        {button}
      </button>
    </form>
  );
}

interface FormProps {
  kind: string;
  button: string;
  main?: boolean;
  children: preact.ComponentChildren;
}

function TokenForm(view: ViewProps) {
  return (
    <SecretForm {...view} kind="token" button="Use this token">
      <Secret name="token" label="Access token" autocomplete="off" />
    </SecretForm>
  );
}

/** Nobody is signed in. */
export function Ways(props: WayProps) {
  const { draft, status } = props;
  const name = useUniqueId();
  return (
    <>
      {status.service === "constellations" ? (
        <div class="cxw-row">
          <button type="button" class="cxw-primary" data-focus onClick={() => draft.send({ kind: "start", near: isNear(location) })}>
            Sign in
          </button>
          <span class="cxw-quiet">You get a link to open.</span>
        </div>
      ) : (
        <SecretForm {...props} kind="login" button="Sign in" main>
          <label for={name}>
            Name
            <input id={name} name="name" type="text" autocomplete="username" spellcheck={false} required data-focus />
          </label>
          <Secret name="password" label="Password" autocomplete="current-password" />
        </SecretForm>
      )}
      <details>
        <summary>Other ways</summary>
        {status.official && (
          <div class="cxw-row">
            <button type="button" onClick={() => draft.send({ kind: "official" })}>
              Use the sign-in of the official client
            </button>
            <span class="cxw-quiet">The one that wwt_api_client keeps on this computer. Signing out here then ends it there, too.</span>
          </div>
        )}
        <TokenForm {...props} />
        <p class="cxw-quiet">
          A token or password goes to the kernel once. It is never saved in the notebook, and a token that you give here is not kept for next time.
        </p>
      </details>
    </>
  );
}

/** Somebody has to finish it in a browser. */
export function Waiting(props: WayProps) {
  const { draft, status } = props;
  const address = useUniqueId();
  return (
    <>
      <p class="cxw-row">
        <Address url={status.link} class="cxw-go" data-focus>
          Open the sign-in page
        </Address>
        {status.user_code && (
          <span>
            and check that it shows, or type there, the code <code class="cxw-code">{status.user_code}</code>
          </span>
        )}
      </p>
      {status.pastes && (
        <div class="cxw-paste">
          <SecretForm {...props} kind="paste" button="Done">
            <label for={address}>
              If your browser ends on a page that can’t be shown, that is fine: paste the address of that page here
              <input
                id={address}
                name="address"
                type="text"
                autocomplete="off"
                spellcheck={false}
                required
                aria-invalid={status.paste_message !== ""}
                aria-describedby={`${address}-fault`}
              />
            </label>
          </SecretForm>
          <div id={`${address}-fault`} class="cxw-fault" role="alert">
            {status.paste_message}
          </div>
        </div>
      )}
      <div class="cxw-row">
        <span role="status">{status.progress || "Waiting for you to sign in there …"}</span>
        <button type="button" onClick={() => draft.send({ kind: "cancel" })}>
          Cancel
        </button>
      </div>
    </>
  );
}
