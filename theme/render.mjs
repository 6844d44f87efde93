// mystmd runs this (template.yml: build.render) when its content is ready: write the site.
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDependencies, MINISEARCH } from './dependencies.mjs';

ensureDependencies();
const { buildSite } = await import('./site.mjs');
const { KATEX, katexSheet } = await import('./styles.mjs');

const here = fileURLToPath(new URL('.', import.meta.url));
const { BUILD_DIRECTORY: out = '', CONTENT_CDN: server = '' } = process.env;

async function write(path, data) {
  await mkdir(dirname(join(out, path)), { recursive: true });
  await writeFile(join(out, path), data);
}

const { files, problems } = await buildSite(server, join(out, '../..'));
for (const [path, data] of files) await write(path, data);
await cp(join(here, 'assets'), out, { recursive: true, filter: (file) => !file.endsWith('.css') });
const search = await readFile(join(here, MINISEARCH), 'utf8');
await write('minisearch.js', search.replace(/^\/\/# sourceMappingURL=.*$/m, ''));

await write('katex/katex.min.css', katexSheet); // for cards with formulas of other pages
await cp(join(KATEX, 'fonts'), join(out, 'katex/fonts'), {
  recursive: true,
  filter: (f) => !/\.(ttf|woff)$/.test(f),
});

if (problems.length > 0) {
  console.error(problems.map((problem) => `⛔ ${problem}`).join('\n'));
  process.exit(1);
}
