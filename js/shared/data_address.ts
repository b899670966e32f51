/** Bytes as a data: address, which a page may show where its policy forbids blob: ones. */
export function dataAddress(bytes: Uint8Array & { toBase64?: () => string }, type: string): string {
  return `data:${type};base64,${bytes.toBase64?.() ?? slowBase64(bytes)}`;
}

/** For browsers from before 2025. */
function slowBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
