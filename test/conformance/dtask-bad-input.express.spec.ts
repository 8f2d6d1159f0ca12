import { throughExpress } from '../support/conformance-rig';
import './dtask-bad-input.spec';

throughExpress();
