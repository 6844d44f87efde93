// `node theme/build.mjs`, from the directory of a myst.yml: build the static site in _build/html.
// mystmd reports some mistakes (unknown directives, dangling references) and still exits 0, even
// with --strict; here every complaint in its log fails the build.
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { ensureDependencies } from './dependencies.mjs';

// What looks like a mistake, or like an address to visit, and is none.
const HARMLESS = [
  /update available|npm notice/i,
  /'jupytext' extra keys? ignored: default_lexer(, notebook_metadata_filter)? /, // are Jupytext's own
  /Content server started|👉 +http|set a baseurl/, // it serves the renderer, and ends with it
];
const isHarmless = (line) => HARMLESS.some((harmless) => harmless.test(line));

/** Run mystmd, show its output as it comes, return its exit code and the whole log. */
function myst(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn('myst', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    for (const stream of ['stdout', 'stderr'])
      createInterface({ input: child[stream] }).on('line', (line) => {
        const text = stripVTControlCharacters(line);
        if (isHarmless(text)) return;
        log += `${text}\n`;
        if (text.trim()) process[stream].write(`${line}\n`);
      });
    child.on('error', (/** @type {NodeJS.ErrnoException} */ error) =>
      reject(
        error.code === 'ENOENT'
          ? new Error('myst is not on PATH: pip install "mystmd>=1.11,<1.12"')
          : error,
      ),
    );
    child.on('close', (code) => resolve({ code, log }));
  });
}

try {
  ensureDependencies();
  await Promise.all(
    ['_build/html', '_build/site'].map((dir) => rm(dir, { recursive: true, force: true })),
  );
  const { code, log } = await myst('build', '--html', '--strict');
  const complaints = log.split('\n').filter((line) => /[⛔⚠]/u.test(line));
  if (code !== 0 || complaints.length > 0)
    throw new Error(['The site was not built cleanly.', ...new Set(complaints)].join('\n'));
} catch (error) {
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
