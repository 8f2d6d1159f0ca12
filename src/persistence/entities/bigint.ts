import type { ValueTransformer } from 'typeorm';

/** `bigint` columns that stay far below 2^53: the driver hands them over as text. */
export const bigintAsNumber: ValueTransformer = {
  to: (value: number) => value,
  from: (text: string) => Number(text),
};
