import { expect, test, vi } from "vitest";
import { isNear, isOnKernelHost, jupyterRoot, proxiedAddress, wayTo } from "./reach.ts";

test.each([
  ["http://localhost:8888/lab", true],
  ["http://127.0.0.1:8888/lab", true],
  ["http://[::1]:8888/lab", true],
  ["vscode-webview://0a1b/index.html", true],
  ["https://hub.example.org/user/me/lab", false],
  ["https://127.0.0.1.example.org/lab", false],
])("whether a page at %s is near: %s", (address, near) => {
  expect(isNear(new URL(address))).toBe(near);
});

test.each([
  ["http://127.0.0.1:4321/image/65f0", true],
  ["http://localhost/x", true],
  ["http://localhost.example.org/x", false],
  ["https://example.org/127.0.0.1", false],
  ["javascript:alert(1)", false],
  ["http://[", false],
  ["", false],
])("whether %s is on the kernel's machine: %s", (address, expected) => {
  expect(isOnKernelHost(address)).toBe(expected);
});

test("Safari 16.4 has no URL.canParse, and is told the same", () => {
  vi.stubGlobal("URL", Object.assign(class extends URL {}, { canParse: undefined }));
  expect(isOnKernelHost("http://127.0.0.1:4321/image/65f0")).toBe(true);
  vi.unstubAllGlobals();
});

const ROOT = "https://hub.example.org/user/ada/";

test.each([
  ["http://127.0.0.1:4321/image/65f0?a=b#c", `${ROOT}proxy/4321/image/65f0?a=b#c`],
  ["http://LOCALHOST:4321", `${ROOT}proxy/4321/`],
  ["http://127.0.0.1:4321/files/m51/{1}/{3}/{3}_{2}.png", `${ROOT}proxy/4321/files/m51/{1}/{3}/{3}_{2}.png`],
  ["http://127.0.0.1/a", `${ROOT}proxy/80/a`],
])("%s is proxied as %s", (address, expected) => {
  expect(proxiedAddress(ROOT, address)).toBe(expected);
});

function pageOf(html: string): Document {
  const page = new DOMParser().parseFromString(html, "text/html");
  Object.defineProperty(page, "location", { value: new URL("https://hub.example.org/user/ada/lab/tree/a.ipynb") });
  return page;
}

test.each([
  ['<script id="jupyter-config-data" type="application/json">{"baseUrl": "/user/ada/"}</script>', ROOT],
  ['<script id="jupyter-config-data" type="application/json">{"baseUrl": "/user/ada"}</script>', ROOT],
  ['<body data-base-url="/user/ada/">', ROOT],
  ['<script id="jupyter-config-data" type="application/json">{</script>', null],
  ["<body>", null],
])("the root of the Jupyter server of %s is %s", (html, expected) => {
  expect(jupyterRoot(pageOf(html))).toBe(expected);
});

test.each([
  ["TimeoutError", 4321, "http://127.0.0.1:4321/image/65f0", 2], // a busy kernel
  ["NetworkError", 4322, null, 1],
])("a server of this machine that fails with a %s", async (name, port, way, requests) => {
  document.body.dataset.baseUrl = "/";
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(url);
    if (url.includes("server-proxy")) return new Response(null, { status: 404 });
    if (asked.length === 1) throw new DOMException("", name);
    return new Response();
  });
  expect(await wayTo(`http://127.0.0.1:${port}/image/65f0`)).toBe(way);
  expect(asked.filter((url) => url.includes(`:${port}/`))).toHaveLength(requests);
  vi.unstubAllGlobals();
  delete document.body.dataset.baseUrl;
});
