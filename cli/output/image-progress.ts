import type { ImageProgress } from '../fleet/request-images.ts';
import { type Progress, startProgress } from './progress.ts';

/** Shows how far images are, until it is stopped. */
export interface ImageProgressBar {
  readonly update: (progress: ImageProgress) => void;
  readonly stop: () => void;
}

/** A bar over the units that make what is not stored; it begins with the first of them. To `stream`. */
export function imageProgress(stream: NodeJS.WriteStream): ImageProgressBar {
  let bar: Progress | undefined;
  return {
    update: ({ images, stored, units }) => {
      if (units.total === 0) return;
      bar ??= startProgress(stream, `drawing ${images - stored} of ${images} images`, units.total);
      bar.update(units.ended, 'units');
    },
    stop: () => {
      bar?.stop();
      bar = undefined;
    },
  };
}
