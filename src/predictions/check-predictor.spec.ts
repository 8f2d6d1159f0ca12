import { hostname } from 'node:os';
import { checkPredictor } from './check-predictor';

describe('checkPredictor', () => {
  it.each([
    'http://127.0.0.1:8102/predictor',
    'http://127.9.9.9:8102',
    'http://localhost:8102/predictor',
    'http://[::1]:8102/predictor',
    `http://${hostname().toLowerCase()}:8102/predictor`,
  ])('refuses %s, which is this service', (url) => {
    expect(() => checkPredictor(url, 8102)).toThrow(/leads to this service itself/);
  });

  it('refuses what leads nowhere', () => {
    expect(() => checkPredictor('http://0.0.0.0:1', 8102)).toThrow(
      /^FORESAIL_PREDICTOR_URL \(start\): predictor URL/,
    );
  });

  it.each(['http://127.0.0.1:8200/predictor', 'http://other:8102/predictor', 'http://other'])(
    'allows %s',
    (url) => {
      expect(() => checkPredictor(url, 8102)).not.toThrow();
    },
  );
});
