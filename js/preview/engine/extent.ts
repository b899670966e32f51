/** How much of its square a tiled image fills: the tree is padded to a power of two, and the size of the image in it is not given. */

const VISIBLE = 8; // of 255; JPEG's black is not quite black

/** Width and height as fractions of the square, of a rectangle around the image's middle that holds all that is not padding. */
export function filledPart(image: HTMLImageElement, middle: number): [number, number] | null {
  const side = 256;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.drawImage(image, 0, 0, side, side);
  return filledPartOf(context.getImageData(0, 0, side, side).data, side, middle);
}

/**
 * The same for RGBA pixels of a square. Null if all of it is padding. `middle` is where the image's middle is from left (0) to right (1):
 * between two tiles of a pyramid that is two wide at its root.
 */
export function filledPartOf(pixels: Uint8ClampedArray, side: number, middle = 0.5): [number, number] | null {
  let [x, y] = [0, 0]; // the farthest from the middle, in half pixels
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const at = 4 * (row * side + column);
      const bright = Math.max(pixels[at]!, pixels[at + 1]!, pixels[at + 2]!);
      if (Math.min(bright, pixels[at + 3]!) < VISIBLE) continue;
      x = Math.max(x, Math.abs(2 * column + 1 - 2 * middle * side) + 1);
      y = Math.max(y, Math.abs(2 * row + 1 - side) + 1);
    }
  }
  return x && y ? [x / side, y / side] : null;
}
