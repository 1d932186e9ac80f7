/** Tells the run when something has come to a rest, so that it can look whether its goal is reached. */
export class Notice {
  /** Set by the run. */
  listener: () => void = () => {};
  /** Things of events that are still to come, as the exit of a child with a lifetime. */
  outstanding = 0;

  /** Something has come to a rest. */
  give(): void {
    this.listener();
  }
}
