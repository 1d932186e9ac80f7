// Lets Node run the workspace's TypeScript as it stands, without a build: `./x.js` means `./x.ts`, and `@thplab/x` means the
// sources of that package. Node itself takes the types out. Loaded with `node --import`.

import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const packages = new URL('../../packages/', import.meta.url);

registerHooks({
  resolve(specifier, context, next) {
    const own = /^@thplab\/([a-z-]+)$/.exec(specifier);
    if (own !== null) return next(new URL(`${own[1]}/src/index.ts`, packages).href, context);
    if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts')) {
      const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
      if (existsSync(fileURLToPath(source))) return next(source.href, context);
    }
    return next(specifier, context);
  },
});
