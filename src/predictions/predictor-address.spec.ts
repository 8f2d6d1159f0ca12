import { hostname } from 'node:os';
import { assertOtherService, predictorAddress } from './predictor-address';

describe('predictorAddress', () => {
  it.each([
    ['http://predictor:8200', 'predictor', 8200, 'http', ''],
    ['http://predictor', 'predictor', 80, 'http', ''],
    ['https://predictor/', 'predictor', 443, 'https', ''],
    ['http://scheduler:8102/predictor', 'scheduler', 8102, 'http', '/predictor'],
    ['http://10.0.0.7:1/a/b//', '10.0.0.7', 1, 'http', '/a/b'],
    ['http://[fd00::7]:8102/p', 'fd00::7', 8102, 'http', '/p'],
  ])('reads %s', (url, host, port, scheme, basePath) => {
    expect(predictorAddress(url)).toEqual({ endpoint: { host, port, scheme }, basePath });
  });

  it.each([
    ['predictor:8200', /must begin with http/],
    ['::', /is not a URL/],
    ['ftp://predictor', /must begin with http/],
    ['http://me:secret@predictor', /must not carry a user/],
    ['http://predictor/?key=1', /must not carry a query/],
    ['http://predictor/#there', /must not carry a query or fragment/],
    ['http://0.0.0.0:8200', /not an address that a service can have/],
    ['http://169.254.169.254', /not an address that a service can have/],
    ['http://0xa9.0xfe.0xa9.0xfe', /not an address that a service can have/],
    ['http://[ff02::1]', /not an address that a service can have/],
  ])('refuses %s', (url, fault) => {
    expect(() => predictorAddress(url)).toThrow(fault);
  });
});

describe('assertOtherService', () => {
  const check =
    (url: string, host: string, port = 8102): (() => void) =>
    () =>
      assertOtherService(predictorAddress(url), { host, port });

  it.each([
    ['http://127.0.0.1:8102/predictor', '127.0.0.1'],
    ['http://localhost:8102/predictor', '127.0.0.1'],
    ['http://[::1]:8102/predictor', '0.0.0.0'],
    ['http://localhost:8102', '::'],
    [`http://${hostname().toLowerCase()}:8102/predictor`, '0.0.0.0'],
    ['http://10.9.8.7:8102/predictor', '10.9.8.7'],
  ])('refuses %s of a service at %s', (url, host) => {
    expect(check(url, host)).toThrow(/leads to this service itself/);
  });

  it.each([
    ['http://127.0.0.1:8200/predictor', '127.0.0.1'],
    ['http://10.9.8.7:8102/predictor', '127.0.0.1'],
    ['http://other:8102/predictor', '0.0.0.0'],
    ['http://127.0.0.1:8102/predictor', '10.9.8.7'],
  ])('allows %s of a service at %s', (url, host) => {
    expect(check(url, host)).not.toThrow();
  });
});
