import { throughExpress } from '../support/conformance-rig';
import './swarmpilot-tasks.spec';

throughExpress();
