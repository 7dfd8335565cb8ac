/** Name of a mask in the blob store. */
export function maskBlob(hash: string): string {
  return `mask/${hash}`;
}
