/** The library of actors. */
import type { ActorKind } from './actor.js';
import { collapseRange } from './collapse-range.js';
import { faultRead, faultWrite } from './fault.js';
import { khugepaged } from './khugepaged.js';
import { madvise } from './madvise.js';
import { munmap } from './munmap.js';
import { rmapWalk } from './rmap-walk.js';

/** All kinds, in the order of help and documentation. Each checks its own parameters. */
export const ACTOR_KINDS: readonly ActorKind[] = [
  khugepaged,
  collapseRange,
  madvise,
  faultRead,
  faultWrite,
  munmap,
  rmapWalk,
];
