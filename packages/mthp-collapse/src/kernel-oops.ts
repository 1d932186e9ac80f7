/** The modelled kernel would have crashed here: a variant with one of the defects of khugepaged spec 19. */
export class KernelOopsError extends Error {
  override readonly name: string = 'KernelOopsError';
}
