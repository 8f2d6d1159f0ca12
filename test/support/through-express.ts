import { throughExpress } from './conformance-rig';

// To be imported before the specs: these are collected while they are imported.
throughExpress();
