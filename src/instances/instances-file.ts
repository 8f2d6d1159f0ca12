import { z } from 'zod';
import { HOST, HOST_ALLOWED, LONGEST_HOST } from '../config/host-name';
import { readYamlFile } from '../config/yaml-file';
import { LONGEST_QUEUE_NAME } from '../core/units';

/** One entry of the file. */
export interface FileInstance {
  readonly host: string;
  readonly port: number;
  readonly modelName: string | undefined;
}

const ENTRY = z.strictObject({
  host: z.string().max(LONGEST_HOST).regex(HOST, `host must be ${HOST_ALLOWED}`).toLowerCase(),
  port: z.int().min(1).max(65_535),
  model_name: z.string().min(1).max(LONGEST_QUEUE_NAME).optional(),
});
const FILE = z.strictObject({ instances: z.array(ENTRY).superRefine(refuseTwins) });

/**
 * Reads `instances: [{host, port, model_name?}]` (contracts/swarmpilot).
 * @throws {YamlFileError} with every fault and its line
 */
export function readInstancesFile(file: string): readonly FileInstance[] {
  const { instances } = readYamlFile('instances file', file, FILE);
  return instances.map(({ host, port, model_name: modelName }) => ({ host, port, modelName }));
}

/** Of two entries for one address nobody could say which is meant. */
function refuseTwins(entries: readonly z.infer<typeof ENTRY>[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  for (const [index, { host, port }] of entries.entries()) {
    const address = `${host}:${port}`;
    const message = `${address} stands in the file twice`;
    if (seen.has(address)) context.addIssue({ code: 'custom', path: [index], message });
    seen.add(address);
  }
}
