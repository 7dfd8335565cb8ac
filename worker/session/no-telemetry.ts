import { isMainThread } from 'node:worker_threads';
import { LetheError } from '../../shared/error/lethe-error.ts';

/**
 * onnxruntime sends telemetry unless this variable is 1 when its library loads: it keeps a device id and a database of events
 * under the user's cache folder, and asks for the address of an events host. The library reads the process's own environment,
 * which the main thread alone can write.
 */
const variable = 'ORT_DISABLE_TELEMETRY';

/**
 * Switches onnxruntime's telemetry off for this process, its threads and its children. To be called before the library loads.
 *
 * @throws LetheError `usage` in a thread of a program whose main thread has not set the variable.
 */
export function disableTelemetry(environment: NodeJS.ProcessEnv = process.env, isMain = isMainThread): void {
  if (isMain) environment[variable] = '1';
  // A thread has a copy, made of its parent's when it began.
  else if (environment[variable] !== '1')
    throw new LetheError('usage', {
      what: 'cannot run models in this thread',
      why: `onnxruntime would send telemetry: ${variable} is not 1, and a thread cannot set it for its process`,
      next: `set ${variable}=1 before the program starts, or import Lethe in its main thread first`,
    });
}

// Whoever imports what runs models has switched it off, before any other module of onnxruntime's can load.
if (isMainThread) disableTelemetry();
