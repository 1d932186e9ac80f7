// The pools' worker from its sources; thread 0 takes khugepaged_mm_lock and keeps it, and the watchdog waits for 100 ms only.
await import(new URL('../../../sync/src/testing/source-hooks.mjs', import.meta.url).href);
const { workerData } = await import('piscina');
const { attachKhugepaged } = await import('../pool/attach.ts');
const { acquire, sendError, wait } = await import('@thplab/sync');

export function ahead({ thread }) {
  const on = attachKhugepaged(workerData.handle, thread);
  try {
    on.run(
      function* () {
        if (thread === 1) while (on.k.t.khugepaged.mmLock[0] === 0) yield wait(on.k.stopQueue, 1e6);
        yield acquire(on.k.mmLock);
        for (;;) yield wait(on.k.stopQueue);
      },
      { name: `khugepaged/${thread}`, lockLimitMs: 100, timeScale: 1 },
    );
  } catch (error) {
    return { ok: false, error: sendError(error) };
  }
}
