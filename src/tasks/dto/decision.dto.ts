import { ApiProperty } from '@nestjs/swagger';

/** What a task was expected to see at an instance, counted from the decision. */
export class ExpectationDto {
  /**
   * Expected time until the task would start there, in ms: by late binding behind what the instance
   * had already, by early binding behind what waited for it too.
   * @example 0
   */
  wait_ms!: number;

  /**
   * Expected time until its run would end there, in ms: the wait, and the predicted running time at
   * the speed of the instance.
   * @example 1200
   */
  completion_ms!: number;
}

/** The instance that a strategy would have taken instead, and what was expected there. */
export class RunnerUpDto extends ExpectationDto {
  /**
   * Id of the instance.
   * @example '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b11'
   */
  instance_id!: string;
}

/** Why a task went where it went, and what was expected there, by what was known when it was chosen. */
export class DecisionDto extends ExpectationDto {
  /**
   * Strategy that chose.
   * @example 'earliest'
   */
  strategy!: string;

  /**
   * When, ISO 8601: with late binding when the slot was reserved, with early binding when the task
   * was bound to the instance.
   * @example '2026-11-21T10:00:00.010Z'
   */
  decided_at!: string;

  /**
   * How many instances could have been chosen, the chosen one included. Of more than 1 000 a
   * strategy that looks at each of them sees a random 1 000.
   * @example 2
   */
  @ApiProperty({ type: 'integer' })
  candidates!: number;

  /**
   * What the strategy would have taken instead; null when there was no other candidate, and where a
   * strategy of your own does not name one.
   */
  runner_up!: RunnerUpDto | null;

  /**
   * How many other instances of the queue could not be chosen, by reason: those of `unfit_because` of
   * an instance; `busy` for those without a slot for it, where the strategy binds late; `avoided` for
   * the one that lost or refused the task last, where another could take it.
   * @example { "busy": 3, "draining": 1 }
   */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' } })
  unfit_because!: Readonly<Record<string, number>>;
}
