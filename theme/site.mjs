// The whole site as a list of files: pages, search index, sitemap, error page, data of figures.
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cards, cardsPath } from './cards.mjs';
import { from, loadProject } from './content.mjs';
import { Glossary } from './glossary.mjs';
import { layout, renderPage } from './page.mjs';
import { References } from './references.mjs';
import { registration } from './registration.mjs';
import { searchIndex } from './search.mjs';
import { esc, html } from './typeset.mjs';

/** A module without the blocks of its documentation, a fifth of what a reader would load. */
const lean = (source) => source.replace(/^[ \t]*\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n/gm, '');

/** The files that pages publish, under names that do not depend on where the book is built. */
function publisher(modules, problem) {
  const published = new Map();
  const publish = (name, source, page) => {
    const key = source.url ?? source.bytes.toString('base64');
    if ((published.get(name)?.key ?? key) !== key)
      problem(page, `two different files are called "${name}"`);
    published.set(name, { ...source, key });
    return `files/${name}`;
  };
  // mystmd appends a hash of the absolute path to the names of copied files.
  const publishAsset = (url, page) =>
    publish(
      url
        .split('/')
        .at(-1)
        .replace(/-[0-9a-f]{32}(?=\.)/, ''),
      { url },
      page,
    );
  const publishModule = (name, page) => {
    const source = modules.get(name)?.source;
    if (source === undefined) problem(page, `"${name}" is not among the widgets of myst.yml`);
    return publish(
      `${name}.js`,
      { bytes: Buffer.from(registration(name, lean(source ?? ''))) },
      page,
    );
  };
  const layoutOf = (name) => modules.get(name)?.layout;
  return { published, publish, publishAsset, publishModule, layoutOf };
}

/** The widgets' modules by file name, and what keeps their place on a page where they say it. */
async function readModules(files, directory) {
  const modules = files.map(async (file) => {
    const source = await readFile(join(directory, file), 'utf8');
    // By its text, since the preview reads a file again that has changed.
    const { layout } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
    return [basename(file), { source, layout }];
  });
  return new Map(await Promise.all(modules));
}

/** "Version 1.2.3 of 2026-01-31", as the file says by which the book is cited. */
async function edition(directory) {
  const text = await readFile(join(directory, 'CITATION.cff'), 'utf8').catch(() => '');
  const [, version] = /^version: (\S+)/m.exec(text) ?? [];
  const [, date] = /^date-released: (\S+)/m.exec(text) ?? [];
  return version && date ? `Version ${version} of ${date}` : '';
}

function sitemap(site, base) {
  const urls = site.pages.map(
    (page) => `<url><loc>${esc(base + page.path.replace(/^index\.html$/, ''))}</loc></url>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${urls.join('\n')}
</urlset>
`;
}

/** Servers show it under any address, so its relative links are fixed by the known base path. */
function errorPage(site, base) {
  const path = base ? new URL(base).pathname : '/';
  const quoted = JSON.stringify(path);
  const fix =
    `<script>if(location.pathname.startsWith(${quoted})){` +
    `const b=document.createElement('base');b.href=${quoted};document.head.prepend(b)}</script>`;
  const home = base ? ` Its address is <a href="${esc(base)}">${esc(base)}</a>.` : '';
  const start = '<a href="index.html">start of the book</a>';
  const words = html`<p>There is no page at this address. It may have moved: look through the
    contents, search, or go to the ${start}.${home}</p>`;
  const main = `<header class="title"><h1>Page not found</h1></header>
${words}`;
  const page = layout(site, {
    title: 'Page not found',
    description: 'There is no page at this address.',
    path: '404.html',
    root: '',
    main,
  });
  return page.replace(
    '<meta charset="utf-8">',
    `<meta charset="utf-8">\n${fix}\n<meta name="robots" content="noindex">`,
  );
}

/** All that is needed to render any page, and what is wrong so far. */
export async function openSite(loaded, directory) {
  const widgets = (loaded.options.widgets ?? '').split(' ').filter(Boolean);
  const modules = await readModules(widgets, directory);
  const problems = [];
  const problem = (page, message) => problems.push(`${page.location}: ${message}`);
  const { published, ...publishing } = publisher(modules, problem);
  const byPath = new Map(
    loaded.pages.map((page) => [
      page.slug === loaded.project.index ? '/' : `/${page.slug.replaceAll('.', '/')}`,
      page,
    ]),
  );
  /** What pages refer to on other pages: ids by page. @type {Map<any, Set<string>>} */
  const referredTo = new Map(loaded.pages.map((page) => [page, new Set()]));
  const site = {
    ...loaded,
    ...publishing,
    problem,
    name: loaded.options.logo_text ?? loaded.project.title,
    edition: await edition(directory),
    references: new References(loaded.pages, problem),
    glossary: new Glossary(loaded.pages),
    referredTo,
    refersTo: ({ page, id }) => referredTo.get(page)?.add(id),
    toc: loaded.toc.map((entry) => ({
      ...entry,
      page: loaded.pages.find((page) => page.slug && page.slug === entry.slug),
    })),
    pageAt: (url) => byPath.get(url),
  };
  return { site, published, problems };
}

export async function buildSite(server, directory) {
  const { site, published, problems } = await openSite(await loadProject(from(server)), directory);
  const files = new Map();
  for (const page of site.pages) {
    try {
      files.set(page.path, renderPage(site, page));
    } catch (error) {
      site.problem(page, error.stack);
    }
  }
  for (const [page, ids] of site.referredTo)
    if (ids.size > 0) files.set(cardsPath(page), cards(page, files.get(page.path) ?? '', ids));
  const base = site.options.base_url?.replace(/\/?$/, '/');
  files.set('404.html', errorPage(site, base));
  files.set('search.js', registration('search', searchIndex(site)));
  if (base) files.set('sitemap.xml', sitemap(site, base));
  files.set(
    'robots.txt',
    `User-agent: *\nAllow: /\n${base ? `Sitemap: ${base}sitemap.xml\n` : ''}`,
  );
  for (const [name, { url, bytes }] of published)
    files.set(`files/${name}`, bytes ?? (await site.get(url)));
  return { files, problems };
}
