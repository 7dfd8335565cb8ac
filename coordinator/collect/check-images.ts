import { LetheError } from '../../shared/error/lethe-error.ts';

/** First bytes of a PNG file, and of its first chunk, which says the size (PNG specification, 5.2 and 11.2.2). */
const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);

/**
 * Refuses images that no unit can have given: none, not one for each trajectory, something else than PNG, or of different
 * sizes. Pixels are not looked at: whoever reads an image does.
 *
 * @param items trajectories of the unit, where they are known
 * @throws LetheError `image-invalid` with the worker's name and the place in the batch.
 */
export function checkImages(
  unit: string,
  worker: string,
  images: readonly Uint8Array[],
  items: number | undefined,
): void {
  if (images.length === 0 || images.length !== (items ?? images.length))
    throw new LetheError('image-invalid', {
      what: `cannot take the images of worker ${worker}`,
      where: `unit ${unit}`,
      why: `there are ${images.length}${items === undefined ? '' : ` for ${items} trajectories`}`,
      next: 'look at the log of that worker; other workers are asked for the unit',
    });
  const sizes = images.map((image, i) => {
    const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
    if (bytes.length < 33 || !bytes.subarray(0, signature.length).equals(signature))
      throw invalid(unit, worker, i, 'it is no PNG file');
    return `${bytes.readUInt32BE(16)}×${bytes.readUInt32BE(20)}`;
  });
  const other = sizes.findIndex((size) => size !== sizes[0]);
  if (other > 0) throw invalid(unit, worker, other, `it is ${sizes[other] ?? ''}, and the first ${sizes[0] ?? ''}`);
}

function invalid(unit: string, worker: string, place: number, why: string): LetheError {
  return new LetheError('image-invalid', {
    what: `cannot take an image from worker ${worker}`,
    where: `image ${place} of unit ${unit}`,
    why,
    next: 'look at the log of that worker; other workers are asked for the unit',
  });
}
