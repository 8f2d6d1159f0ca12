import type { SchedulerAnswer } from '../outgoing/scheduler-connection';

/** One way to say that something is there. No call throws: every end is an answer. */
export interface Beat {
  /** What the log calls it. */
  readonly name: string;
  send(): Promise<SchedulerAnswer>;
  /** Says goodbye; null where the protocol has no word for it. */
  leave(): Promise<SchedulerAnswer | null>;
  /** Hurries what is under way in `send`. */
  hurry(): void;
}

/** The scheduler, as far as a heartbeat needs it. */
export interface SchedulerPosts {
  post(path: string, body: string): Promise<SchedulerAnswer>;
}
