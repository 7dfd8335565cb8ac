import { LetheError } from '../error/lethe-error.ts';
import { keyText, type Path } from './problem.ts';

/**
 * Does what a setting of a file asks for; a failure says by which setting, before its own place. One that names a setting
 * already is left as it is.
 */
export async function ofSetting<T>(setting: Path, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LetheError) || error.setting !== undefined) throw error;
    throw error.at([keyText(setting), ...(error.where === undefined ? [] : [error.where])].join(': '), setting);
  }
}
