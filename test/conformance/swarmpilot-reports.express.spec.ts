import { throughExpress } from '../support/conformance-rig';
import './swarmpilot-reports.spec';

throughExpress();
