/**
 * Property tests draw the same cases in every run, so that a red run means that the change is wrong and not that it had bad
 * luck. THPLAB_SEED=random draws new ones (the longer hunts do), THPLAB_SEED=N those of a seed.
 */
import fc from 'fast-check';

const wanted = process.env.THPLAB_SEED ?? '20261120';
if (wanted !== 'random') fc.configureGlobal({ seed: Number(wanted) });
