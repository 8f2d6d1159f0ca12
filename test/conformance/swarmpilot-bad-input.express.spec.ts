import '../support/through-express';
import './swarmpilot-bad-input.spec';
