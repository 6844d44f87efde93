// Install the theme's npm packages when, and only when, node_modules differs from the lock file:
// those that a build needs, or with `node theme/dependencies.mjs` those of its linters and tests too.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const read = (file) => JSON.parse(readFileSync(join(here, file), 'utf8')).packages;

/** The package behind the search, as one script for pages, from this directory. */
export const MINISEARCH = 'node_modules/minisearch/dist/umd/index.js';

/** Optional packages are those of one kind of machine, so no machine has all of them. */
function installed(everything) {
  try {
    const present = read('node_modules/.package-lock.json');
    return Object.entries(read('package-lock.json')).every(
      ([path, wanted]) =>
        path === '' ||
        wanted.optional ||
        (wanted.dev && !everything) ||
        present[path]?.integrity === wanted.integrity,
    );
  } catch {
    return false;
  }
}

export function ensureDependencies({ everything = false } = {}) {
  if (installed(everything)) return;
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  if (!everything) options.push('--omit=dev');
  execFileSync('npm', ['ci', ...options], { cwd: here, stdio: 'inherit' });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureDependencies({ everything: true });
