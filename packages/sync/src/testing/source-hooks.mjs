// Lets a worker read TypeScript sources: they name each other as the built files will be called, and packages of the
// workspace by their names.
import { registerHooks } from 'node:module';

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
