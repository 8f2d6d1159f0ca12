/** One model of which something is known. */
export class PredictorModelDto {
  /**
   * What `model_type` has to be.
   * @example 'llama-7b'
   */
  model_type!: string;

  /**
   * Its name; the type again where the records name none.
   * @example 'LLaMA 7B'
   */
  model_name!: string;

  /**
   * Predictions of this type since this process began to lead.
   * @example 1500
   */
  total_predictions!: number;

  /**
   * Hardware for which there are records.
   * @example ['A100', 'V100']
   */
  hardware_types!: string[];

  /**
   * Software and version for which there are records.
   * @example ['vllm-0.2.0', 'vllm-0.2.1']
   */
  software_versions!: string[];
}

/** The models of which something is known. */
export class ModelsAnswerDto {
  /**
   * Always `success`.
   * @example 'success'
   */
  status!: 'success';

  /** One entry per type and name. */
  models!: PredictorModelDto[];
}
