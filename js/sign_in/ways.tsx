// Ways to sign in: with the browser, name and password, or a token. What is typed is sent to the kernel once and not kept in the page.

import { useRef } from "preact/hooks";
import type { SignInStatus as Status } from "../protocol.ts";
import { useUniqueId, type ViewProps } from "../shared/mount.tsx";
import { isNear } from "../shared/reach.ts";
import { Address, OutOfReach } from "../shared/ui/address.tsx";
import { sendOnEnter } from "../shared/ui/send_on_enter.ts";

type WayProps = ViewProps & { status: Status };
type WaysProps = WayProps & { others: boolean; setOthers: (open: boolean) => void };

/** A field whose content is a secret: nothing keeps it, not even the field. */
function Secret({ name, label, autocomplete, hasFocus }: SecretProps) {
  const id = useUniqueId();
  return (
    <label for={id}>
      {label}
      <input
        id={id}
        name={name}
        type="password"
        autocomplete={autocomplete}
        spellcheck={false}
        required
        data-focus={hasFocus || undefined}
      />
    </label>
  );
}

interface SecretProps {
  name: string;
  label: string;
  autocomplete: string;
  /** Whether the keyboard comes here when the ways to sign in are shown again. */
  hasFocus?: boolean;
}

/** Sends what was typed into a form, by the names of its fields, and empties it. */
function SecretForm({ kernel, kind, button, main, children }: ViewProps & FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    const typed = Object.fromEntries([...new FormData(form.current!)].map(([name, value]) => [name, String(value)]));
    for (const input of form.current!.querySelectorAll("input")) input.value = "";
    kernel.send({ kind, ...typed });
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

function TokenForm({ hasFocus, ...view }: ViewProps & { hasFocus: boolean }) {
  return (
    <SecretForm {...view} kind="token" button="Sign in with token">
      <Secret name="token" label="Access token" autocomplete="off" hasFocus={hasFocus} />
    </SecretForm>
  );
}

/** Shown while signed out. */
export function Ways({ others, setOthers, ...props }: WaysProps) {
  const { kernel, status } = props;
  const name = useUniqueId();
  return (
    <>
      {status.service === "constellations" ? (
        <div class="cxw-row">
          <button
            type="button"
            class="cxw-primary"
            data-focus={others ? undefined : true}
            onClick={() => kernel.send({ kind: "start", near: isNear(location) })}
          >
            Sign in
          </button>
          <span class="cxw-quiet">You get a link to the sign-in page.</span>
        </div>
      ) : (
        <SecretForm {...props} kind="login" button="Sign in" main>
          <label for={name}>
            Name
            <input
              id={name}
              name="name"
              type="text"
              autocomplete="username"
              spellcheck={false}
              required
              data-focus={others ? undefined : true}
            />
          </label>
          <Secret name="password" label="Password" autocomplete="current-password" />
        </SecretForm>
      )}
      <details open={others} onToggle={(event) => setOthers(event.currentTarget.open)}>
        <summary>Other ways to sign in</summary>
        {status.official && (
          <div class="cxw-row">
            <button type="button" onClick={() => kernel.send({ kind: "official" })}>
              Use the official client’s sign-in
            </button>
            <span class="cxw-quiet">
              wwt_api_client keeps a sign-in on this computer. Signing out here also signs out there.
            </span>
          </div>
        )}
        <TokenForm {...props} hasFocus={others} />
        <p class="cxw-quiet">
          Tokens and passwords are sent to the kernel once and never saved in the notebook. A token entered here is not
          remembered.
        </p>
      </details>
    </>
  );
}

/** Shown while the user finishes signing in in a browser. */
export function Waiting(props: WayProps) {
  const { kernel, status } = props;
  const address = useUniqueId();
  return (
    <>
      <p class="cxw-row">
        <Address url={status.link} class="cxw-go" data-focus>
          Open the sign-in page
        </Address>
        {status.user_code && (
          <span>
            and confirm or enter the code <code class="cxw-code">{status.user_code}</code>
          </span>
        )}
      </p>
      <OutOfReach url={status.link} />
      {status.accepts_paste && (
        <div class="cxw-paste">
          <SecretForm {...props} kind="paste" button="Continue">
            <label for={address}>
              If the browser ends on a page that cannot be shown, paste the address of that page here
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
            <bdi>{status.paste_message}</bdi>
          </div>
        </div>
      )}
      <div class="cxw-row">
        <span role="status">{status.progress || "Waiting for you to sign in there …"}</span>
        <button type="button" onClick={() => kernel.send({ kind: "cancel" })}>
          Cancel
        </button>
      </div>
    </>
  );
}
