import { createHash } from 'node:crypto';

/** Standard deviation of the logarithm of the noise; its mean is 1. */
export const NOISE_SIGMA = 0.1;

/**
 * Service time of a language-model request at speed 1 in ms, without noise: 0.03 s + 0.25 ms per
 * input token + 25 ms per output token. What the simulated engine, replays and simulations agree on.
 */
export function tokenServiceMs(inputTokens: number, outputTokens: number): number {
  return 30 + 0.25 * inputTokens + 25 * outputTokens;
}

/** Log-normal noise with mean 1 and sigma 0.1 that depends on the key alone, in any order. */
export function serviceNoise(key: string): number {
  const digest = createHash('sha256').update(key).digest();
  // Two uniform numbers of 48 bits become one normal one (Box-Muller); the first must not be 0.
  const u = (digest.readUIntBE(0, 6) + 1) / 2 ** 48;
  const v = digest.readUIntBE(6, 6) / 2 ** 48;
  const normal = Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
  return Math.exp(NOISE_SIGMA * normal - NOISE_SIGMA ** 2 / 2);
}
