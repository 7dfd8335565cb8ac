import type { LetheError } from '../../shared/error/lethe-error.ts';
import { unitState } from '../dispatch/ready-units.ts';
import type { UnitPlan } from '../plan/plan.ts';
import type { Ending } from '../store/campaign-entry.ts';
import { Wake } from '../store/wake.ts';
import { feedUnits, type FeedTools } from './feed-units.ts';

/** Brings a job of images on, at this coordinator: queues its units until each has its images, or has failed. */
export class ImageRunner {
  readonly kind = 'images';
  readonly plan: UnitPlan;
  readonly #job: string;
  readonly #tools: FeedTools;
  readonly #stop = new AbortController();
  #trouble: LetheError | undefined;

  constructor(job: string, plan: UnitPlan, tools: FeedTools) {
    this.#job = job;
    this.plan = plan;
    this.#tools = tools;
  }

  /** What stands in the way of queueing now, if something does: it is tried again. */
  get trouble(): LetheError | undefined {
    return this.#trouble;
  }

  /** Runs until every unit has ended. @returns how; undefined if it was stopped before. */
  async run(): Promise<Ending | undefined> {
    const { book } = this.#tools;
    const over = new AbortController();
    const wake = new Wake();
    const forget = book.onChange(() => {
      wake.ring();
      if (this.#isOver) over.abort();
    });
    if (this.#isOver) over.abort();
    try {
      const onTrouble = (trouble: LetheError | undefined): void => {
        this.#trouble = trouble;
      };
      const ending = AbortSignal.any([this.#stop.signal, over.signal]);
      await feedUnits(this.#job, this.plan, this.#tools, wake, onTrouble, ending);
    } finally {
      forget();
    }
    return this.#isOver ? this.#ending : undefined;
  }

  stop(): void {
    this.#stop.abort();
  }

  get #isOver(): boolean {
    return this.plan.units.every((unit) =>
      ['done', 'failed'].includes(unitState(unit, (hash, site) => this.#tools.book.settled(hash, site)).kind),
    );
  }

  get #ending(): Ending {
    const failures = this.plan.units.flatMap(({ hash }) => {
      const verdict = this.#tools.book.settled(hash, 'image');
      return verdict?.kind === 'failed' ? [verdict.failure] : [];
    });
    const [failure] = failures;
    return { concepts: [], ...(failure === undefined ? {} : { failed: { units: failures.length, failure } }) };
  }
}
