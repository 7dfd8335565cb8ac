/**
 * JSON.parse of what Python's json module writes: it has words for infinity that JSON lacks, and diffusers saves
 * DPMSolverMultistepScheduler with `"lambda_min_clipped": -Infinity`. Throws SyntaxError as JSON.parse does, for NaN too.
 */
export function parsePythonJson(text: string): unknown {
  // Strings are matched first, so that nothing inside them changes; 1e999 is beyond float64 and read as infinity.
  return JSON.parse(
    text.replaceAll(/"(?:[^"\\]|\\.)*"|\bInfinity\b/g, (token) => (token === 'Infinity' ? '1e999' : token)),
  );
}
