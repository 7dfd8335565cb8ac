import type { ImageProgress } from '../fleet/request-images.ts';
import { printJsonTo, type TextStream } from './print.ts';
import { type Progress, startProgress } from './progress.ts';

/** Shows how far images are, until it is stopped. */
export interface ImageProgressBar {
  readonly update: (progress: ImageProgress) => void;
  readonly stop: () => void;
}

/** For machines: a JSON object a line, one for every change of what is not stored. To `stream`. */
export function imageEvents(stream: TextStream): ImageProgressBar {
  let printed = '';
  return {
    update: (progress) => {
      const event = { event: 'images', ...progress };
      const line = JSON.stringify(event);
      if (progress.units.total === 0 || line === printed) return;
      printed = line;
      printJsonTo(stream, event);
    },
    stop: () => {
      // Every line that was written stands.
    },
  };
}

/**
 * A bar over the units that make what is not stored; it begins with the first of them, and anew where there turn out to be
 * more: what is asked for in several jobs is known of one after the other. To `stream`.
 */
export function imageProgress(stream: NodeJS.WriteStream): ImageProgressBar {
  let bar: Progress | undefined;
  let total = 0;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  return {
    update: ({ images, stored, units }) => {
      if (units.total === 0) return;
      if (units.total !== total) stop();
      total = units.total;
      bar ??= startProgress(stream, `drawing ${images - stored} of ${images} images`, total, 'units');
      bar.update(units.ended);
    },
    stop,
  };
}
