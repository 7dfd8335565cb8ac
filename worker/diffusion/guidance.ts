/**
 * Classifier-free guidance, u + scale · (c - u), in fp32 as torch computes it (arXiv 2207.12598; diffusers
 * pipeline_stable_diffusion.py).
 *
 * @param prediction the model's output for one trajectory: [2, n], unconditional first, or [n] without guidance.
 */
export function guide(prediction: Float32Array, rows: 1 | 2, scale: number): Float32Array {
  if (rows === 1) return prediction;
  const n = prediction.length / 2;
  const scale32 = Math.fround(scale);
  const guided = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const unconditional = prediction[i] ?? 0;
    const difference = Math.fround((prediction[n + i] ?? 0) - unconditional);
    guided[i] = unconditional + Math.fround(scale32 * difference);
  }
  return guided;
}
