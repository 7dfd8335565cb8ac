import { readSpan, withRegularFile } from '../../shared/checkpoint/regular-file.ts';
import { lfsPointer } from '../../shared/checkpoint/text-file.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Pixels } from '../../shared/verification/pixel-distance.ts';
import { type Recognition, recognitionOf } from '../../shared/verification/recognition.ts';
import type { Labels } from '../../shared/verification/test-image.ts';
import type { SessionSettings } from '../session/protocol.ts';
import type { FileSession, SessionThread } from '../session/session-thread.ts';
import { type ClassifierFile, invalid, readClassifierFile } from './classifier-file.ts';
import { resize } from './resize.ts';

/** An ONNX image classifier, loaded. */
export class Classifier {
  readonly file: ClassifierFile;
  readonly #session: FileSession;

  private constructor(file: ClassifierFile, session: FileSession) {
    this.file = file;
    this.#session = session;
  }

  /**
   * @param path of the JSON file that describes it
   * @throws LetheError `config-invalid` naming file and key, also for what the model does not have; `session-failed` if the
   *   runtime refuses the model.
   */
  static async open(path: string, thread: SessionThread, settings: SessionSettings): Promise<Classifier> {
    const file = await readClassifierFile(path);
    await requireModel(file.model);
    const session = await thread.openFile(file.model, settings);
    const problems = [
      ...(session.inputs.includes(file.input.name)
        ? []
        : [`input.name: the model takes ${session.inputs.join(', ')}, and no ${JSON.stringify(file.input.name)}`]),
      ...Object.keys(file.heads).flatMap((head) => {
        const output = session.outputs.find(({ name }) => name === head);
        const known = session.outputs.map(({ name }) => name).join(', ');
        if (output === undefined) return [`heads.${head}: the model gives ${known}, and no ${JSON.stringify(head)}`];
        const isRead = output.type === 'float32' || output.type === 'float16';
        return isRead ? [] : [`heads.${head}: its numbers are ${output.type}; heads have to be float32 or float16`];
      }),
    ];
    if (problems.length > 0) throw invalid(path, problems);
    return new Classifier(file, session);
  }

  /**
   * What every head sees in each image; images of other sizes are resized.
   *
   * @throws LetheError `config-invalid` if a head gives another number of labels than the file names, `image-invalid` for an
   *   image that has not three channels, `session-failed`, `non-finite`.
   */
  async recognise(images: readonly Pixels[]): Promise<readonly Recognition[]> {
    if (images.length === 0) return [];
    const { input, heads, path } = this.file;
    const { name, layout, height, width } = input;
    const data = new Float32Array(images.length * 3 * height * width);
    for (const [i, image] of images.entries()) this.#fill(image, data.subarray(i * 3 * height * width));
    const shape = layout === 'NCHW' ? [images.length, 3, height, width] : [images.length, height, width, 3];
    const outputs = await this.#session.run({ [name]: { type: 'float32', shape, data } }, Object.keys(heads));
    const entries = Object.entries(heads).map(([head, labels]) => {
      const numbers = outputs.get(head)?.data ?? new Float32Array();
      if (numbers.length !== images.length * labels.length)
        throw invalid(path, [
          `heads.${head}: it names ${labels.length} labels, and the model gives ${numbers.length / images.length} numbers an image`,
        ]);
      return [head, labels, numbers] as const;
    });
    return images.map((_, i) =>
      recognitionOf(
        entries.map(([head, labels, all]) => {
          const numbers = all.subarray(i * labels.length, (i + 1) * labels.length);
          requireNumbers(numbers, head);
          return { head, labels, numbers };
        }),
      ),
    );
  }

  /** The first choice of every head for each image. @throws LetheError as `recognise` does. */
  async classify(images: readonly Pixels[]): Promise<readonly Labels[]> {
    return (await this.recognise(images)).map(({ choice }) => choice);
  }

  /** One image as the model takes it. */
  #fill(image: Pixels, into: Float32Array): void {
    const { layout, height, width, scale, offset } = this.file.input;
    if (image.channels !== 3)
      throw new LetheError('image-invalid', {
        what: 'cannot classify an image',
        why: `it has ${image.channels} channels, and classifiers take three`,
        next: 'use a checkpoint that draws in colour',
      });
    const isSame = image.height === height && image.width === width;
    const pixels = isSame ? image.data : resize(image, width, height);
    const plane = height * width;
    for (let pixel = 0; pixel < plane; pixel++)
      for (let c = 0; c < 3; c++) {
        const value = (scale[c] ?? 0) * (pixels[3 * pixel + c] ?? 0) + (offset[c] ?? 0);
        into[layout === 'NCHW' ? c * plane + pixel : 3 * pixel + c] = value;
      }
  }
}

function requireNumbers(numbers: Float32Array, head: string): void {
  if (numbers.some(Number.isNaN))
    throw new LetheError('non-finite', {
      what: 'the classifier gave no number',
      where: `head ${head}`,
      why: 'it is NaN',
      next: 'check the model, and the normalisation in its JSON file',
    });
}

/** The runtime would wait for ever for a named pipe, and knows no Git LFS pointer: both are refused before it opens the file. */
async function requireModel(path: string): Promise<void> {
  const refuse = (why: string) => invalid(path, [why]);
  await withRegularFile(path, refuse, async (file, size) => {
    const start = Buffer.from(await readSpan(file, 0, lfsPointer.length)).toString('latin1');
    if (start === lfsPointer)
      throw refuse('it is a Git LFS pointer, not the model: run `git lfs pull` in the checkout it came from');
    if (size === 0) throw refuse('it is empty: a download that was not finished');
  });
}
