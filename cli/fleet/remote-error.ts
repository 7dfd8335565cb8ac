import type { Failure } from '../../gen/fleet/v1/unit.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';

/** A failure of the fleet as an error of this process. */
export function errorOfFailure({ code, what, where, why, next, layer, step }: Failure): LetheError {
  // A later release may have a code that is not known here: it is passed on as it is.
  return new LetheError(code as LetheError['code'], {
    what,
    why,
    next,
    ...(where === '' ? {} : { where }),
    ...(layer === undefined ? {} : { layer }),
    ...(step === undefined ? {} : { step }),
  });
}
