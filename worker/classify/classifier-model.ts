import { readSpan, withRegularFile } from '../../shared/checkpoint/regular-file.ts';
import { type ClassifierFile, invalid } from './classifier-file.ts';

/** What a file of Git LFS begins with where its contents were not fetched. */
const pointer = 'version https://git-lfs';

/**
 * Whether the model of a classifier is there, as far as it can be told without the runtime.
 *
 * @throws LetheError `config-invalid` if there is no regular file, or one whose contents were not fetched.
 */
export async function requireClassifierModel({ path, model }: ClassifierFile): Promise<void> {
  const refuse = (why: string) => invalid(path, [`model: ${model}: ${why}`]);
  const begin = await withRegularFile(model, refuse, (file) => readSpan(file, 0, pointer.length));
  if (begin.length === 0) throw refuse('the file is empty');
  if (Buffer.from(begin).toString('latin1') === pointer)
    throw refuse('it is a Git LFS pointer: its contents were not fetched (`git lfs pull`)');
}
