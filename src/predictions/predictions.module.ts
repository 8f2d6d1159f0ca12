import { randomUUID } from 'node:crypto';
import { Logger, Module, type DynamicModule } from '@nestjs/common';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { OWN_ENDPOINTS, type OwnEndpoint } from '../ops/own-endpoints';
import { ownAddressRule } from '../outgoing/own-address-rule';
import { JobEstimates } from './job-estimates.service';
import { LearnedModels } from './learned-models.service';
import { LearnedPredictor } from './learned.predictor';
import { LookupReloader } from './lookup-reloader';
import { PredictionAccuracy } from './prediction-accuracy';
import { PredictionMetrics } from './prediction-metrics';
import { PredictionModeService } from './prediction-mode.service';
import { PredictionsController } from './predictions.controller';
import { PREDICTION_CHAIN, PredictionsService, type PredictionChain } from './predictions.service';
import { PredictorClient } from './predictor.client';
import { DefaultSource } from './sources/default.source';
import { LearnedSource } from './sources/learned.source';
import { LookupSource } from './sources/lookup.source';
import { MetadataSource } from './sources/metadata.source';
import { CALLS_AT_ONCE, RemoteSource } from './sources/remote.source';

type Settings = Config['predictions'];

/** How long tasks will run, and who says so. */
@Module({})
export class PredictionsModule {
  /** @param lookup the lookup table, which outlives terms; whoever opened it closes it */
  static forTerm(lookup: LookupReloader): DynamicModule {
    return {
      module: PredictionsModule,
      global: true,
      controllers: [PredictionsController],
      providers: [
        { provide: LookupReloader, useValue: lookup },
        {
          provide: RemoteSource,
          inject: [configOf('predictions'), OWN_ENDPOINTS],
          useFactory: remoteSource,
        },
        {
          provide: PREDICTION_CHAIN,
          inject: [configOf('predictions'), RemoteSource, LearnedSource, LookupReloader],
          useFactory: predictionChain,
        },
        { provide: LearnedPredictor, useValue: new LearnedPredictor() },
        {
          provide: LearnedSource,
          inject: [LearnedPredictor],
          useFactory: (predictor: LearnedPredictor) => new LearnedSource(predictor),
        },
        LearnedModels,
        {
          provide: JobEstimates,
          inject: [configOf('commands')],
          useFactory: ({ assumedLimitMs }: Config['commands']) => new JobEstimates(assumedLimitMs),
        },
        { provide: PredictionAccuracy, useValue: new PredictionAccuracy() },
        PredictionMetrics,
        PredictionModeService,
        PredictionsService,
      ],
      exports: [
        PredictionsService,
        PredictionModeService,
        PredictionAccuracy,
        JobEstimates,
        LookupReloader,
        RemoteSource,
        LearnedSource,
        LearnedModels,
      ],
    };
  }
}

function predictionChain(
  { defaultMs }: Settings,
  remote: RemoteSource,
  learned: LearnedSource,
  file: LookupReloader,
): PredictionChain {
  const lookup = new LookupSource(file);
  return {
    own: new MetadataSource(),
    known: { default: [remote, learned, lookup], lookup_table: [lookup] },
    fallback: new DefaultSource(defaultMs),
  };
}

function remoteSource(
  { predictorUrl, predictorTimeoutMs: timeoutMs }: Settings,
  own: readonly OwnEndpoint[],
): RemoteSource {
  const limits = { timeoutMs, connections: CALLS_AT_ONCE, addressRule: ownAddressRule(own) };
  const client = predictorUrl === undefined ? null : new PredictorClient(predictorUrl, limits);
  const logger = new Logger(RemoteSource.name);
  return new RemoteSource(client, timeoutMs, `foresail-${randomUUID()}`, logger);
}
