import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

/** All text of the program, its string literals joined where they are split over lines. */
const source = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts'))
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
  .join('\n')
  .replace(/['"`]\s*\+\s*['"`]/g, '');

const messages = [
  ...readFileSync(join(ROOT, 'docs/troubleshooting.md'), 'utf8').matchAll(
    /^```message\n(.+)\n```$/gm,
  ),
].map(([, message = '']) => message);

describe('docs/troubleshooting.md', () => {
  it('has entries', () => {
    expect(messages.length).toBeGreaterThan(15);
  });

  it.each(messages)('quotes what the program prints: %s', (message) => {
    // `<…>` stands for what differs; `<key>` is said so by the program itself.
    for (const part of message.split(/<(?!key>)[^>]*>/)) {
      // Not toContain: its failure would print the whole source.
      expect({ part, isThere: source.includes(part.trim()) }).toEqual({ part, isThere: true });
    }
  });
});
