import '../support/through-express';
import './dtask-bad-input.spec';
