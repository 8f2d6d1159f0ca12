'use strict';

const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * Specs that take half a minute or more, longest first. Where nothing is known of earlier runs, as in a
 * clean clone, jest goes by the size of the files: these are small, would come last, and would have one
 * core wait for them.
 */
const LONGEST = [
  'crash-points.spec.ts',
  'chaos.spec.ts',
  'fleet.property.spec.ts',
  'placement-fleet.spec.ts',
];

class LongestFirst extends Sequencer {
  async sort(tests) {
    const others = await super.sort(tests);
    const first = LONGEST.flatMap((name) => others.filter(({ path }) => path.endsWith(`/${name}`)));
    return [...first, ...others.filter((test) => !first.includes(test))];
  }
}

module.exports = LongestFirst;
