/** What a write to a file does: the value to store, or the errno that write(2) returns. */
import { kstrtobool, kstrtouint, kstrtoul, type ParsedNumber, sysfsStreq } from './kstrto.js';
import type { BadWrite, Errno, SysfsFile } from './node.js';

export type WriteResult =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly errno: Errno; readonly message: string };

/** Longest part of a bad text that a message repeats. */
const SHOWN_CHARACTERS = 40;

/**
 * Reads what was written to a file by the kernel's grammar for it (khugepaged spec 14.1). No state: rules that need another
 * setting (see checkWrite) and the effects of a write are the caller's. An empty text is EINVAL; on a real
 * machine a write of no bytes reaches no file at all, `echo` always adds the newline that does.
 */
export function parseWrite(file: SysfsFile, text: string): WriteResult {
  const { grammar } = file;
  switch (grammar.kind) {
    case 'choice': {
      const value = grammar.choices.findIndex((word) => sysfsStreq(text, word));
      return value === -1 ? refuse(file, 'unparsable', `${show(text)} is not one of its words`) : { ok: true, value };
    }
    case 'boolean': {
      const value = kstrtobool(text, grammar.enableWords);
      return value === null
        ? refuse(file, 'unparsable', `${show(text)} is not a boolean`)
        : { ok: true, value: value ? 1 : 0 };
    }
    case 'flag':
      return inRange(file, text, kstrtoul(text), 0, 1);
    case 'uint':
      return inRange(
        file,
        text,
        grammar.parser === 'kstrtoul' ? kstrtoul(text) : kstrtouint(text),
        grammar.min,
        grammar.max,
      );
    case 'counter':
    case 'constant':
      return refuse(file, 'read-only', 'it cannot be written');
  }
}

/** What a good write to the file looks like, in words. */
export function describeGrammar(file: SysfsFile): string {
  const { grammar } = file;
  switch (grammar.kind) {
    case 'choice':
      return `one of ${grammar.choices.join(', ')}`;
    case 'flag':
      return '0 or 1';
    case 'boolean':
      return grammar.enableWords
        ? 'a boolean: 1, y, t, on or enabled, or 0, n, f, off or disabled'
        : 'a boolean: 1, y, t or on, or 0, n, f or off';
    case 'uint':
      return `a decimal number from ${grammar.min} to ${grammar.max}`;
    case 'counter':
      return 'nothing: it is a counter, read only';
    case 'constant':
      return `nothing: it is always ${grammar.value}, read only`;
  }
}

function inRange(file: SysfsFile, text: string, parsed: ParsedNumber, min: number, max: number): WriteResult {
  if (!parsed.ok)
    return parsed.errno === 'ERANGE'
      ? refuse(file, 'overflow', `${show(text)} is too big a number`)
      : refuse(file, 'unparsable', `${show(text)} is not a decimal number`);
  if (parsed.value < BigInt(min)) return refuse(file, 'out-of-range', `${show(text)} is below ${min}`);
  if (parsed.value > BigInt(max)) return refuse(file, 'out-of-range', `${show(text)} is above ${max}`);
  return { ok: true, value: Number(parsed.value) };
}

function refuse(file: SysfsFile, why: BadWrite, what: string): WriteResult {
  const errno = file.errnos[why] ?? 'EINVAL';
  return { ok: false, errno, message: `${file.path}: ${what}; it takes ${describeGrammar(file)}` };
}

function show(text: string): string {
  const line = text.endsWith('\n') ? text.slice(0, -1) : text;
  return JSON.stringify(line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}...` : line);
}
