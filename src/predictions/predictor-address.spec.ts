import { predictorAddress } from './predictor-address';

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

  it('shows no password', () => {
    expect(() => predictorAddress('http://me:secret@predictor')).toThrow('http://***@predictor');
  });
});
