import { throughExpress } from '../support/conformance-rig';
import './swarmpilot-bad-input.spec';

throughExpress();
