// Run mystmd and listen to its log.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';

// What looks like a mistake, or like an address to visit, and is none.
const HARMLESS = [
  /update available|npm notice|^\s*[╭│╰]/i, // which comes in a box
  /'jupytext' extra keys? ignored/, // Jupytext's own notebook settings
  /Content server started|👉 +http|set a baseurl/, // it serves the renderer alone
  /File is not in project: notebooks\/\d.*\.md$/, // the source beside a notebook
];

/**
 * Run mystmd, show what matters of its log as it comes, and pass on all; return its exit code.
 * @type {(args: string[], heard: (line: string, shown: boolean) => void) => Promise<number | null>}
 */
export function myst(args, heard) {
  return new Promise((resolve, reject) => {
    const child = spawn('myst', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of ['stdout', 'stderr'])
      createInterface({ input: child[stream] }).on('line', (line) => {
        const text = stripVTControlCharacters(line);
        const shown = text.trim() !== '' && !HARMLESS.some((harmless) => harmless.test(text));
        if (shown) process[stream].write(`${line}\n`);
        heard(text, shown);
      });
    child.on('error', (/** @type {NodeJS.ErrnoException} */ error) =>
      reject(
        error.code === 'ENOENT'
          ? new Error('myst is not on PATH: pip install "mystmd>=1.11,<1.12"')
          : error,
      ),
    );
    child.on('close', resolve);
    process.on('exit', () => child.kill());
  });
}
