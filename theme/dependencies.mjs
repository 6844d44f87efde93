// Install the theme's npm packages when, and only when, node_modules differs from the lock file.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const read = (file) => JSON.parse(readFileSync(join(here, file), 'utf8')).packages;

function installed() {
  try {
    const present = read('node_modules/.package-lock.json');
    return Object.entries(read('package-lock.json')).every(
      ([path, wanted]) => path === '' || present[path]?.integrity === wanted.integrity,
    );
  } catch {
    return false;
  }
}

export function ensureDependencies() {
  if (installed()) return;
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['ci', '--ignore-scripts', ...quiet], { cwd: here, stdio: 'inherit' });
}
