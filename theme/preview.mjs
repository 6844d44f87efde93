// `node theme/preview.mjs`, from the directory of a myst.yml: show the book while it is written.
// mystmd reads again what was saved, and a page is rendered when the browser asks for it.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadProject } from './content.mjs';
import { ensureDependencies, MINISEARCH } from './dependencies.mjs';
import { myst } from './myst.mjs';

ensureDependencies();
const { openSite } = await import('./site.mjs');
const { renderPage } = await import('./page.mjs');
const { cards, cardsPath } = await import('./cards.mjs');
const { registration } = await import('./registration.mjs');
const { searchIndex } = await import('./search.mjs');

const here = fileURLToPath(new URL('.', import.meta.url));
const port = Number(process.env.PORT ?? 8000);
const parsed = join(process.cwd(), '_build/site'); // mystmd writes there, and is busy when asked

/** @type {(path: string) => Promise<Buffer>} */
const get = (path) =>
  readFile(join(parsed, /^\/(content\/|config)/.test(path) ? path : `public${path}`));
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};
const reloading = (place) => `<script>
new EventSource('changes').onmessage = ({ data }) => {
  if (JSON.parse(data).includes(${JSON.stringify(place)})) location.reload();
};
</script>`;

/** @type {any} */
let book; // the site, what its pages publish, and what is wrong with them
/** @type {Set<import('node:http').ServerResponse>} */
const watching = new Set();
const published = new Map();
const changed = new Set(['']); // places of pages that are to be read again
let started = false;
let begin = () => {};
/** @type {Promise<void>} */
const ready = new Promise((resolve) => {
  begin = resolve;
});
let reading = Promise.resolve();

/** Read what has changed, and tell the browsers. */
async function read() {
  const places = [...changed];
  changed.clear();
  if (places.length === 0) return;
  const known = book?.site.pages.filter(({ location }) => !places.includes(location));
  try {
    book = await openSite(await loadProject(get, known), process.cwd());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    for (const place of places) changed.add(place); // half of a file: mystmd is writing it
    setTimeout(() => heard(''), 100);
    return;
  }
  begin();
  for (const browser of watching) browser.write(`data: ${JSON.stringify(places)}\n\n`);
}

/** The page at a path, with what its author should know in the terminal. */
function render(path) {
  const page = book.site.pages.find((candidate) => candidate.path === path);
  if (!page) return undefined;
  const text = renderPage(book.site, page);
  for (const [name, file] of book.published) published.set(name, file);
  const own = book.problems.filter((problem) => problem.startsWith(`${page.location}: `));
  for (const problem of new Set(own)) console.error(`⛔ ${problem}`);
  return text.replace('</body>', `${reloading(page.location)}\n</body>`);
}

async function fileAt(path) {
  if (path === 'search.js') return registration('search', searchIndex(book.site));
  const shown = book.site.pages.find((page) => cardsPath(page) === path);
  if (shown) return cards(shown, renderPage(book.site, shown), book.site.referredTo.get(shown));
  if (path.startsWith('files/')) {
    const file = published.get(path.slice(6));
    return file?.bytes ?? (file && get(file.url));
  }
  if (path === 'minisearch.js') return readFile(join(here, MINISEARCH));
  const katex = path.startsWith('katex/');
  return readFile(
    katex ? join(here, 'node_modules/katex/dist', path.slice(6)) : join(here, 'assets', path),
  );
}

const server = createServer(async (request, response) => {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(
    1,
  );
  if (path === 'changes') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    response.flushHeaders();
    watching.add(response);
    request.on('close', () => watching.delete(response));
    return;
  }
  try {
    await ready;
    await reading;
    const body = render(path || 'index.html') ?? (await fileAt(path).catch(() => undefined));
    const type = TYPES[extname(path) || '.html'] ?? 'application/octet-stream';
    const head = { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-store' };
    response.writeHead(body === undefined ? 404 : 200, head).end(body ?? 'There is no such page.');
  } catch (error) {
    response.writeHead(500).end(`The page could not be rendered.\n\n${error.stack}`);
  }
});

/** A line of mystmd's log: it may have read a page. */
function heard(line) {
  const [, place] = /Built (\S+) in /.exec(line) ?? [];
  if (place) changed.add(`/${place}`);
  started ||= /Content server started/.test(line);
  if (started) reading = reading.then(read).catch((error) => console.error(`⛔ ${error.message}`));
}

server.on('error', (error) => {
  console.error(`⛔ ${error.message}. Choose another port: make preview PORT=9000`);
  process.exit(1);
});
server.listen(port, 'localhost');
ready.then(() => console.log(`\nThe book while you write: http://localhost:${port}\n`));
process.on('SIGTERM', () => process.exit());
process.on('SIGINT', () => process.exit());
// Prose that an editor saves goes into the executed copy, which is what mystmd reads.
const pairing = spawn('python', ['-m', 'nickbook.book.notebooks', '--watch'], { stdio: 'inherit' });
process.on('exit', () => pairing.kill());
const code = await myst(['start', '--headless', '--server-port', `${port + 1}`], heard);
console.error(`⛔ mystmd ended with code ${code}.`);
process.exit(1);
