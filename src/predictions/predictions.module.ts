import { Module } from '@nestjs/common';
import { CONFIG } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { readLookupFile } from './lookup-file';
import type { PredictionSource } from './prediction-source';
import { PREDICTION_SOURCES, PredictionsService } from './predictions.service';
import { DefaultSource } from './sources/default.source';
import { LookupSource } from './sources/lookup.source';
import { MetadataSource } from './sources/metadata.source';

/** How long tasks will run, and who says so. */
@Module({
  providers: [
    PredictionsService,
    {
      provide: PREDICTION_SOURCES,
      inject: [CONFIG],
      useFactory: ({ predictions }: Config): readonly PredictionSource[] => {
        const { lookupFile, defaultMs } = predictions;
        const lookup =
          lookupFile === undefined ? [] : [new LookupSource(readLookupFile(lookupFile))];
        return [new MetadataSource(), ...lookup, new DefaultSource(defaultMs)];
      },
    },
  ],
  exports: [PredictionsService],
})
export class PredictionsModule {}
