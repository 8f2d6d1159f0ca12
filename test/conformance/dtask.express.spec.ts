import { throughExpress } from '../support/conformance-rig';
import './dtask.spec';

throughExpress();
