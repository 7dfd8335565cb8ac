/** Bytes to store: at once, or a stream that can be opened again if storing it has to start over. */
export type BlobSource = Uint8Array | (() => AsyncIterable<Uint8Array>);

/** The bytes of a source in chunks of one size; only the last is smaller. */
export async function* chunksOf(source: BlobSource, size: number): AsyncGenerator<Uint8Array, void> {
  if (source instanceof Uint8Array) {
    for (let begin = 0; begin < source.length; begin += size) yield source.subarray(begin, begin + size);
    return;
  }
  let chunk = new Uint8Array(size);
  let filled = 0;
  for await (const piece of source()) {
    for (let begin = 0; begin < piece.length;) {
      const taken = Math.min(piece.length - begin, size - filled);
      chunk.set(piece.subarray(begin, begin + taken), filled);
      begin += taken;
      filled += taken;
      if (filled < size) continue;
      yield chunk;
      // A new one: the last may not have been sent yet.
      chunk = new Uint8Array(size);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
