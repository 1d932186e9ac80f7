// A worker of the threads executor that reads the sources: what a published package would have as a built file.
import { registerHooks } from 'node:module';
import { parentPort } from 'node:worker_threads';

// Sources name each other as the built files will be called, and packages of the workspace by their names.
const packages = new URL('../../../', import.meta.url);
registerHooks({
  resolve(specifier, context, next) {
    const own = /^@thplab\/([a-z-]+)$/.exec(specifier);
    if (own !== null) return next(new URL(`${own[1]}/src/index.ts`, packages).href, context);
    if (context.parentURL?.startsWith(packages.href) && !context.parentURL.includes('/node_modules/')) {
      return next(specifier.replace(/^(\.\.?\/.*)\.js$/, '$1.ts'), context);
    }
    return next(specifier, context);
  },
});
const { serveThread } = await import('../threads/serve-thread.ts');
serveThread(parentPort);
