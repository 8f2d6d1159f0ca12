'use strict';

/**
 * Fills one machine before it uses the next. The least rank is taken: the fullest instance has the
 * least, and among equals the faster one.
 */
module.exports = class Pack {
  name = 'pack';
  binding = 'late';

  rank({ occupied, slots, speed }) {
    return -occupied / slots - speed * 1e-6;
  }
};
