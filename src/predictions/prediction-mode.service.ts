import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { PredictionSettingsRepository } from '../persistence/prediction-settings.repository';

/** Which sources are asked beside the task's own prediction and the default. */
export const PREDICTION_MODES = ['default', 'lookup_table'] as const;

/**
 * `default`: the predictor service, what was learned, the lookup table. `lookup_table`: the lookup
 * table only.
 */
export type PredictionMode = (typeof PREDICTION_MODES)[number];

/** True for the name of a mode. */
function isPredictionMode(name: string): name is PredictionMode {
  return (PREDICTION_MODES as readonly string[]).includes(name);
}

/** What became of a choice. A name that is none is expected, and changes nothing. */
export interface ModeChoice {
  readonly kind: 'chosen' | 'unknown';
  readonly name: string;
}

/** Chooses where predictions come from. */
@Injectable()
export class PredictionModeService implements OnModuleInit {
  private readonly logger = new Logger(PredictionModeService.name);
  private mode: PredictionMode = 'default';

  constructor(private readonly repository: PredictionSettingsRepository) {}

  /** The mode that counts now. */
  get current(): PredictionMode {
    return this.mode;
  }

  /** Takes up what was chosen in an earlier term. */
  async onModuleInit(): Promise<void> {
    const stored = await this.repository.mode();
    if (stored !== null && isPredictionMode(stored)) this.mode = stored;
  }

  /**
   * Takes effect on the next submission and survives a restart.
   * @throws {SchedulerError} store_unavailable, not_leading; nothing has changed then
   */
  async choose(name: string): Promise<ModeChoice> {
    if (!isPredictionMode(name)) return { kind: 'unknown', name };
    await this.repository.setMode(name);
    this.mode = name;
    this.logger.log(`tasks are predicted in mode ${name} from now on`);
    return { kind: 'chosen', name };
  }
}
