/** The library of actors. */
import type { ActorKind } from './actor.js';
import { collapseRange } from './collapse-range.js';
import { exit } from './exit.js';
import { faultRead, faultWrite } from './fault.js';
import { forkWrite } from './fork-write.js';
import { gupFast } from './gup-fast.js';
import { hintAdd } from './hint-add.js';
import { khugepaged } from './khugepaged.js';
import { madvise } from './madvise.js';
import { mapAnew } from './map-anew.js';
import { mlock, munlock } from './mlock.js';
import { mprotect } from './mprotect.js';
import { mremap } from './mremap.js';
import { munmap } from './munmap.js';
import { pin } from './pin.js';
import { rmapWalk } from './rmap-walk.js';
import { split } from './split.js';
import { swapOut } from './swap-out.js';
import { sysfsWrite } from './sysfs-write.js';
import { uffdMove } from './uffd-move.js';
import { uffdRegister } from './uffd-register.js';

/** All kinds, in the order of help and documentation. Each checks its own parameters. */
export const ACTOR_KINDS: readonly ActorKind[] = [
  khugepaged,
  collapseRange,
  madvise,
  faultRead,
  faultWrite,
  munmap,
  mapAnew,
  mremap,
  mprotect,
  mlock,
  munlock,
  forkWrite,
  exit,
  gupFast,
  pin,
  rmapWalk,
  swapOut,
  split,
  uffdRegister,
  uffdMove,
  sysfsWrite,
  hintAdd,
];
