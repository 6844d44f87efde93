// `node theme/build.mjs`, from the directory of a myst.yml: build the static site in _build/html.
// mystmd reports some mistakes (unknown directives, dangling references) and still exits 0, even
// with --strict; here every complaint in its log fails the build.
import { rm } from 'node:fs/promises';
import { ensureDependencies } from './dependencies.mjs';
import { myst } from './myst.mjs';

try {
  ensureDependencies();
  await Promise.all(
    ['_build/html', '_build/site'].map((dir) => rm(dir, { recursive: true, force: true })),
  );
  const complaints = [];
  const code = await myst(['build', '--html', '--strict'], (line, shown) => {
    if (shown && /[⛔⚠]/u.test(line)) complaints.push(line);
  });
  if (code !== 0 || complaints.length > 0)
    throw new Error(['The site was not built cleanly.', ...new Set(complaints)].join('\n'));
} catch (error) {
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
