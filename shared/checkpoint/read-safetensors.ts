import { readSpan, withRegularFile } from './regular-file.ts';
import {
  lengthBytes,
  parseSafetensorsHeader,
  type SafetensorsFile,
  safetensorsHeaderLength,
  safetensorsInvalid,
} from './safetensors-header.ts';

/** Reads and checks the header of the file at `path`; the tensors' data is not read. Throws 'safetensors-invalid'. */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  const refuse = (why: string, cause?: unknown) => safetensorsInvalid(path, why, undefined, cause);
  return withRegularFile(path, refuse, async (file, size) => {
    const length = safetensorsHeaderLength(await readSpan(file, 0, Math.min(lengthBytes, size)), size, path);
    return parseSafetensorsHeader(await readSpan(file, 0, lengthBytes + length), size, path);
  });
}
