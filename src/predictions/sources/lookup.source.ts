import type { Distribution } from '../../core/distribution';
import type { LookupTable } from '../lookup-table';
import type { PredictionQuery, PredictionSource } from '../prediction-source';

/** The lookup table as it stands: the file may be replaced while the service runs. */
export class LookupSource implements PredictionSource {
  readonly method = 'lookup';

  constructor(private readonly file: { readonly table: LookupTable }) {}

  predict(query: PredictionQuery): Distribution | undefined {
    return this.file.table.find(query);
  }
}
