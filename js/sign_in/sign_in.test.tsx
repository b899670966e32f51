import { expect, test } from "vitest";
import type { SignInStatus as Status } from "../protocol.ts";
import { FakeModel } from "../shared/fake_model.ts";
import { isNear } from "../shared/reach.ts";
import { drawn } from "../testing/drawn.ts";
import signIn from "./index.tsx";

const OUT: Status = {
  ...{
    phase: "out",
    service: "constellations",
    api_url: "http://x",
    official: false,
    progress: "",
    message: "",
    link: "",
    user_code: "",
  },
  ...{
    accepts_paste: false,
    paste_message: "",
    username: "",
    notice: "",
    handle: "",
    permission: "",
    handle_message: "",
  },
};

function shown(more: Partial<Status> = {}) {
  const fake = new FakeModel({ status: { ...OUT, ...more } });
  const el = document.body.appendChild(document.createElement("div"));
  signIn.render({ model: fake.model, el });
  const said = () => fake.sent.filter(({ kind }) => kind !== "view");
  return { fake, el, said, now: (status: Partial<Status>) => fake.change("status", { ...OUT, ...status }) };
}

function submit(input: HTMLInputElement): void {
  input.form!.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
}

test("a password is said once, and is gone from the page", async () => {
  const { el, said } = shown({ service: "images" });
  const [name, password] = ["name", "password"].map(
    (field) => el.querySelector<HTMLInputElement>(`input[name=${field}]`)!,
  );
  expect(password!.type).toBe("password");
  name!.value = "me";
  password!.value = "hunter2";
  submit(password!);
  expect(said()).toEqual([{ kind: "login", name: "me", password: "hunter2" }]);
  expect(password!.value).toBe("");
  submit(password!);
  expect(JSON.stringify(said().slice(1))).not.toContain("hunter2");
  await drawn();
  expect(el.outerHTML).not.toContain("hunter2");
});

test("the other ways stay open, with the keyboard at the token, after a token was rejected", async () => {
  const { el, now } = shown();
  const others = el.querySelector("details")!;
  others.open = true;
  others.dispatchEvent(new Event("toggle"));
  await drawn();
  el.querySelector<HTMLInputElement>("input[name=token]")!.focus();
  now({ phase: "busy", progress: "Signing in …" });
  await drawn();
  now({ message: "rejected" });
  await drawn();
  expect(el.querySelector("details")!.open).toBe(true);
  expect(document.activeElement).toBe(el.querySelector("input[name=token]"));
});

test("so is a token, and the address that was pasted", () => {
  const { el, said } = shown();
  const token = el.querySelector<HTMLInputElement>("input[name=token]")!;
  token.value = "eyJ.secret";
  submit(token);
  const { el: waiting, said: saidThere } = shown({ phase: "waiting", link: "http://x/auth", accepts_paste: true });
  const address = waiting.querySelector<HTMLInputElement>("input[name=address]")!;
  address.value = "http://localhost/?code=c";
  submit(address);
  expect([said(), saidThere()]).toEqual([
    [{ kind: "token", token: "eyJ.secret" }],
    [{ kind: "paste", address: "http://localhost/?code=c" }],
  ]);
  expect([token.value, address.value]).toEqual(["", ""]);
});

test("the keyboard goes from the button to the link, and to who is signed in", async () => {
  const { el, now } = shown();
  el.querySelector<HTMLButtonElement>("button.cxw-primary")!.focus();
  now({ phase: "waiting", link: "https://id.example/device", user_code: "BCDF-GHJK" });
  await drawn();
  expect(document.activeElement?.getAttribute("href")).toBe("https://id.example/device");
  now({ phase: "in", username: "ada", handle: "ada", permission: "yes" });
  await drawn();
  expect(document.activeElement?.textContent).toContain("Signed in as ada");
  expect(el.textContent).toContain("You may add images as @ada.");
});

test("a sign-in that can't be renewed says so", () => {
  const { el } = shown({ phase: "in", notice: "The identity server gave no refresh token." });
  expect(el.querySelector(".cxw-notice")?.textContent).toContain("no refresh token");
});

test("a link that is none is no link", () => {
  const { el } = shown({ phase: "waiting", link: "javascript:alert(1)" });
  expect(el.querySelector("a[href^=javascript]")).toBe(null);
});

test("the kernel learns whether the browser can come back to it", () => {
  const { el, said } = shown();
  el.querySelector<HTMLButtonElement>("button.cxw-primary")!.click();
  expect(said()).toEqual([{ kind: "start", near: isNear(location) }]);
});
