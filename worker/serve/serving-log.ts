import type { Logger } from 'pino';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { ActiveMask } from '../../shared/manifest/manifest.ts';
import type { FollowRefusal } from './follow-observer.ts';
import type { AnsweredRequest } from './http-app.ts';

/** What a serving process writes down. No prompt, no key. */
export interface ServingLog {
  listening(url: string): void;
  /** No image is made yet, and why. */
  waiting(why: string): void;
  unpruned(): void;
  served(version: number, masks: readonly ActiveMask[], seconds: number | undefined): void;
  refused(reason: FollowRefusal, why: string): void;
  resolved(version: number): void;
  readonly away: (error: unknown) => void;
  readonly failed: (error: unknown) => void;
  answered(request: AnsweredRequest): void;
  stopping(): void;
}

/** NATS that stays away is told of once: its return shows in the next line about a manifest. */
export function servingLog(log: Logger): ServingLog {
  let away = '';
  return {
    listening(url) {
      log.info({ url }, 'listening');
    },
    waiting(why) {
      log.warn({ why }, 'no image is made before valid masks are known');
    },
    unpruned() {
      log.warn('nothing is pruned until the first manifest comes, because --serve-unpruned is set');
    },
    served(version, masks, seconds) {
      away = '';
      log.info({ version, concepts: masks.map(({ concept }) => concept), seconds }, 'serving a set of masks');
    },
    refused(reason, why) {
      log.error({ reason, why }, 'refused what is published');
    },
    resolved(version) {
      log.info({ version }, 'what is published is good again');
    },
    away(error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why === away) return;
      away = why;
      log.warn({ why }, 'NATS does not answer; it is asked again, and what is served stays');
    },
    failed(error) {
      if (error instanceof LetheError)
        log.error({ code: error.code, where: error.where, next: error.next }, error.message);
      else log.error({ err: error }, 'a request failed');
    },
    answered({ id, method, route, status, seconds, version }) {
      log.info({ request: id, method, route, status, seconds, version }, 'answered');
    },
    stopping() {
      log.info('finishing what was accepted');
    },
  };
}
