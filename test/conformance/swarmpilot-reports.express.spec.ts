import '../support/through-express';
import './swarmpilot-reports.spec';
