import { describe, expect, it } from 'vitest';
import { stdoutFailure } from './process-io.js';

describe('a write to stdout that fails', () => {
  it('is no failure when the reader has seen enough', () => {
    expect(stdoutFailure({ code: 'EPIPE', message: 'write EPIPE' })).toBeNull();
  });

  it('is the user’s to mend, not a defect', () => {
    const message = stdoutFailure({ code: 'ENOSPC', message: 'no space left on device, write' });
    expect(message).toBe('standard output cannot be written (ENOSPC); there is no space left');
    expect(stdoutFailure({ code: 'EIO', message: 'i/o error, write' })).toContain('(EIO); i/o error, write');
  });
});
