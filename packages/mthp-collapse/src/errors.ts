/** The modelled kernel would have crashed here: a variant with one of the defects of khugepaged spec 19. */
export class KernelOopsError extends Error {
  override readonly name: string = 'KernelOopsError';
}

/**
 * Something that a collapse relies on does not hold: somebody changed what the locks of khugepaged spec 10 protect. It
 * names the frame or page; the machine is not sound any more.
 */
export class CollapseInvariantError extends Error {
  override readonly name: string = 'CollapseInvariantError';
}
