import { findUnkeepable } from '../http/json-scan';

/**
 * Why a result with this JSON text could not be reported: half characters, NUL, or too many levels
 * together with the report around it. Undefined when it can.
 */
export function reportFault(resultJson: string): string | undefined {
  return findUnkeepable(Buffer.from(`{"result":${resultJson}}`))?.msg;
}
