/** Something has changed: rings are remembered until they are waited for, and any number of them is one. */
export class Wake {
  #rung = false;
  #resolve: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#resolve?.();
  }

  /**
   * Resolves at the next ring, at once if there was one since the last wait; after `ms` in any case, or when aborted.
   *
   * @returns whether it was rung.
   */
  async wait(signal: AbortSignal, ms?: number): Promise<boolean> {
    if (!this.#rung && !signal.aborted) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
        signal.addEventListener('abort', this.#wakeUp, { once: true });
        if (ms !== undefined) timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
      signal.removeEventListener('abort', this.#wakeUp);
      this.#resolve = undefined;
    }
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }

  readonly #wakeUp = (): void => {
    this.#resolve?.();
  };
}
