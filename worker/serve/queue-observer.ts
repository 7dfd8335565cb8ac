/** Who is told what the queue does. */
export interface QueueObserver {
  /** So many images wait. */
  depth(images: number): void;
  /** So many images were made together. */
  batch(images: number, seconds: number): void;
}
