import {
  canonicalAddress,
  isUnspecified,
  inNetworks,
  isLoopback,
  Network,
  parseNetwork,
} from './networks';

const blocks = (...texts: string[]): Network[] =>
  texts.map((text) => {
    const network = parseNetwork(text);
    if (network === undefined) throw new Error(`not a network: ${text}`);
    return network;
  });

describe('networks', () => {
  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['::ffff:10.1.2.3', '10.0.0.0/8', true],
    ['10.1.2.3', '::ffff:10.0.0.0/104', true],
    ['fd00::7', 'fd00::/8', true],
    ['fd00::7', '0.0.0.0/0', false],
    ['10.1.2.3', '::/0', false],
    ['192.168.1.5', '192.168.1.5', true],
    ['192.168.1.6', '192.168.1.5', false],
    ['not an address', '0.0.0.0/0', false],
    ['', '0.0.0.0/0', false],
  ])('%s in %s is %s', (address, block, expected) => {
    expect(inNetworks(address, blocks(block))).toBe(expected);
  });

  it.each([
    '',
    '10',
    '10/8',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::/129',
    'lan',
  ])('%p is no network', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });

  it.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['localhost', false],
  ])('%s is loopback: %s', (address, expected) => {
    expect(isLoopback(address)).toBe(expected);
  });

  it.each([
    ['0.0.0.0', true],
    ['::', true],
    ['0:0::0', true],
    ['::ffff:0.0.0.0', true],
    ['127.0.0.1', false],
    ['localhost', false],
  ])('%s names every address: %s', (address, expected) => {
    expect(isUnspecified(address)).toBe(expected);
  });

  it.each([
    ['::ffff:a00:9', '10.0.0.9'],
    ['FD00:0::7', 'fd00::7'],
    ['10.0.0.9', '10.0.0.9'],
    ['gpu7', 'gpu7'],
  ])('%s is written as %s', (address, expected) => {
    expect(canonicalAddress(address)).toBe(expected);
  });
});
