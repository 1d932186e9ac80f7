/** Loading koffi, if it is there and this is a Linux that it can serve. */
import { type Koffi, Libc } from './libc.js';

/** The C library, or in words why it cannot be had and what would help. */
export type Loaded =
  | { readonly libc: Libc; readonly missing?: undefined }
  | { readonly libc?: undefined; readonly missing: string };

/** Loads the C library through koffi. Never throws: who cannot have it says what he leaves out. */
export async function loadLibc(): Promise<Loaded> {
  const { platform, arch } = process;
  if (platform !== 'linux') return { missing: `system calls need Linux; this is ${platform}` };
  if (arch !== 'x64' && arch !== 'arm64')
    return { missing: `system calls are declared for x64 and arm64, not ${arch}` };
  let koffi: Koffi;
  try {
    koffi = (await import('koffi')).default as unknown as Koffi;
  } catch (error) {
    return { missing: `koffi cannot be loaded (${firstLine(error)}); \`npm install koffi\` brings it` };
  }
  try {
    return { libc: new Libc(koffi, arch) };
  } catch (error) {
    return { missing: `the C library cannot be used through koffi: ${firstLine(error)}` };
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}
