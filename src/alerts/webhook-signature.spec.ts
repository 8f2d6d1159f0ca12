import { signatureOf } from './webhook-signature';

describe('signatureOf', () => {
  it('is what openssl makes of time and body', () => {
    // printf '1795257600.{"a":1}' | openssl dgst -sha256 -hmac a-shared-secret-of-ours
    expect(signatureOf('a-shared-secret-of-ours', '1795257600', '{"a":1}')).toBe(
      'sha256=8260a211104f7312982f8cccaab31b349c7813dcd50e63cf97b9edf109d6e6ea',
    );
  });

  it('differs with each of its parts', () => {
    const made = [
      signatureOf('secret-number-one', '1', 'body'),
      signatureOf('secret-number-two', '1', 'body'),
      signatureOf('secret-number-one', '2', 'body'),
      signatureOf('secret-number-one', '1', 'ydob'),
    ];
    expect(new Set(made).size).toBe(4);
  });
});
