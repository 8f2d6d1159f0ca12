/** `GET /version` */
export class VersionDto {
  /**
   * Always `foresail`.
   * @example 'foresail'
   */
  name!: 'foresail';

  /**
   * Version of the program.
   * @example '0.1.0'
   */
  version!: string;

  /**
   * Version of Node.js that runs it.
   * @example 'v20.19.0'
   */
  node!: string;

  /**
   * When the process started, ISO 8601.
   * @example '2026-11-21T10:00:00.000Z'
   */
  started_at!: string;
}
