import '../support/through-express';
import './swarmpilot-tasks.spec';
