import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

/** The family of the font, as SVG names it: of one width, so that lines can be filled without measuring. */
export const captionFamily = 'DejaVu Sans Mono';

/** Width of a character, as a share of the font's size. */
export const characterWidth = 0.602;

/** Paints an SVG of some text: RGBA, not premultiplied, [height, width, 4]. */
export type SvgPainter = (svg: string) => Uint8Array;

let loading: Promise<SvgPainter> | undefined;

/** Loads resvg and its font once; both come with packages, and none of the system's fonts is looked for. */
export function svgPainter(): Promise<SvgPainter> {
  loading ??= load();
  return loading;
}

async function load(): Promise<SvgPainter> {
  const { resolve } = createRequire(import.meta.url);
  const [wasm, font] = await Promise.all([
    readFile(resolve('@resvg/resvg-wasm/index_bg.wasm')),
    readFile(resolve('dejavu-fonts-ttf/ttf/DejaVuSansMono.ttf')),
  ]);
  await initWasm(wasm);
  return (svg) => {
    const drawing = new Resvg(svg, { font: { fontBuffers: [font], defaultFontFamily: captionFamily } });
    return drawing.render().pixels;
  };
}
