/** A failure. */
export class DtaskErrorDto {
  /**
   * What went wrong: the thing, the value, what would be allowed.
   * @example 'no available worker matching requirements'
   */
  error!: string;
}
