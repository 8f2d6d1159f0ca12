import { z } from 'zod';
import { readYamlFile } from '../config/yaml-file';

/** One entry of the file. */
export interface FileInstance {
  readonly host: string;
  readonly port: number;
  readonly modelName: string | undefined;
}

const ENTRY = z.strictObject({
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535),
  model_name: z.string().min(1).max(256).optional(),
});
const FILE = z.strictObject({ instances: z.array(ENTRY) });

/**
 * Reads `instances: [{host, port, model_name?}]` (contracts/swarmpilot).
 * @throws {YamlFileError} with every fault and its line
 */
export function readInstancesFile(file: string): readonly FileInstance[] {
  const { instances } = readYamlFile('instances file', file, FILE);
  return instances.map(({ host, port, model_name: modelName }) => ({ host, port, modelName }));
}
