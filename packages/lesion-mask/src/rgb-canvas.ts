import { paintText, textWidth } from './pixel-font.js';

export type Rgb = readonly [number, number, number];

/** 8-bit RGB pixels, row by row from the top: what `encodePng` of `@onco-response/report` takes. */
export interface RgbImage {
  width: number;
  height: number;
  channels: 3;
  data: Uint8Array;
}

/** Pixels to paint on; what lies beyond the edge is dropped. */
export class RgbCanvas {
  readonly image: RgbImage;

  constructor(width: number, height: number) {
    this.image = { width, height, channels: 3, data: new Uint8Array(width * height * 3) };
  }

  dot(x: number, y: number, colour: Rgb): void {
    const { width, height, data } = this.image;
    if (x >= 0 && y >= 0 && x < width && y < height) data.set(colour, (y * width + x) * 3);
  }

  fill(left: number, top: number, width: number, height: number, colour: Rgb): void {
    for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) this.dot(x, y, colour);
  }

  /** A square of grey values. */
  grey(left: number, top: number, side: number, values: Uint8Array): void {
    values.forEach((v, at) => {
      this.dot(left + (at % side), top + Math.floor(at / side), [v, v, v]);
    });
  }

  /** The pixels just outside a square's non-zero ones, so that no pixel of the lesion is covered. */
  outline(left: number, top: number, side: number, inside: Uint8Array, colour: Rgb): void {
    const lesion = (x: number, y: number): boolean =>
      x >= 0 && y >= 0 && x < side && y < side && inside[y * side + x] !== 0;
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        if (lesion(x, y)) continue;
        if (lesion(x - 1, y) || lesion(x + 1, y) || lesion(x, y - 1) || lesion(x, y + 1))
          this.dot(left + x, top + y, colour);
      }
    }
  }

  /** Text cut to `room` pixels. */
  text(left: number, top: number, text: string, colour: Rgb, room = Number.POSITIVE_INFINITY): void {
    const shown = textWidth(text) <= room ? text : text.slice(0, Math.floor((room + 1) / 6));
    paintText(shown, (x, y) => this.dot(left + x, top + y, colour));
  }
}
