import { describe, expect, it } from "vitest";
import { Addresses, SKY } from "./addresses";
import type { Comm } from "../shared/comm";

const asked: string[] = [];
const comm = {
  file: (path: string) => {
    asked.push(path);
    return Promise.resolve(new TextEncoder().encode(path));
  },
} as unknown as Comm;
const addresses = new Addresses(comm, [new Uint8Array([1]), new Uint8Array([2])]);

async function textAt(url: string): Promise<string | null> {
  const found = addresses.find(url);
  if (!found || "link" in found) throw new Error(`nothing at ${url}`);
  const bytes = await found.bytes;
  return bytes && new TextDecoder().decode(bytes);
}

describe("what the engine asks for", () => {
  it("comes from the kernel if it is the image's own, whatever the revision", async () => {
    expect(await textAt("http://localhost:1/7/image/2/1/1_3.png")).toBe("image/2/1/1_3.png");
    expect(asked).toEqual(["image/2/1/1_3.png"]);
  });

  it("is loaded by the browser if it is a remote image's", () => {
    expect(addresses.find("http://localhost:1/7/network/https://example.org/a.png?b=1")).toEqual({ link: "https://example.org/a.png?b=1" });
  });

  it("is nothing if it is a remote address of another kind", async () => {
    expect(await textAt("http://localhost:1/7/network/file:///etc/passwd")).toBeNull();
    expect(await textAt("http://localhost:1/7/network/javascript:alert(1)")).toBeNull();
  });

  it("is the sky, the WTML of the moment, or a stand-in for the engine's own files", async () => {
    expect(await textAt(SKY.url)).toContain("Equirectangular");
    expect(await textAt("http://localhost:1/sky/1.jpg")).toBe("\u0002");
    const url = addresses.publish(3, "<Folder/>");
    expect(await textAt(url)).toBe("<Folder/>");
    expect(addresses.publish(4, "<Folder/>")).not.toBe(url);
    expect(await textAt("http://web.wwtassets.org/engine/assets/moons.txt")).toBe("Planet\tEpoch");
    expect(await textAt("https://worldwidetelescope.org/wwtweb/catalog.aspx?X=ImageSets6")).toContain("<Folder");
  });

  it("is nothing on any other host, and nobody is asked", async () => {
    for (const url of [
      "https://cdn.worldwidetelescope.org/wwtweb/dss.aspx?q=0,0,0",
      "http://127.0.0.1:8888/api",
      "//example.org/x",
      "/api/contents",
      "x.png",
      "http://localhost:1/",
      "http://localhost:1/sky/2.jpg",
      "http://localhost:10/7/image/a.png",
    ]) {
      expect(await textAt(url)).toBeNull();
    }
    expect(asked.length).toBe(1);
  });

  it("is left to the browser if the page holds it already", () => {
    expect(addresses.find("data:image/png;base64,AAAA")).toBeNull();
    expect(addresses.find("blob:http://localhost/1")).toBeNull();
  });
});
