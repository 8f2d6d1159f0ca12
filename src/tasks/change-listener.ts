import type { Change } from '../core/task';

/** Is told what happens to tasks: figures, accuracy, whatever counts and never decides. */
export interface ChangeListener {
  /**
   * Called once per change, in its order, as soon as it is decided (a submission: when it is
   * committed). Must be quick. The records are live: take from them what is needed at once. What it
   * throws is logged, and changes nothing.
   */
  told(changes: readonly Change[]): void;
}

/** Token of everyone who is told (`tasks.module.ts` lists them). */
export const CHANGE_LISTENERS = Symbol('ChangeListeners');
