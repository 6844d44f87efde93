// One page of the book as an HTML document.
import { findAll, is, textOf } from './content.mjs';
import { RENDERERS } from './mdast.mjs';
import { imports } from './references.mjs';
import { seen } from './sections.mjs';
import { styles } from './styles.mjs';
import { cls, esc, html } from './typeset.mjs';

const external = (url) => /^[a-z][a-z+.-]*:/i.test(url);

/** What the node renderers need to know about the page that they render. */
function context(site, page) {
  const c = {
    page,
    root: '../'.repeat(page.path.split('/').length - 1),
    references: site.references,
    glossary: site.glossary,
    explains: Boolean(page.chapter) || page.slug === site.project.index,
    explained: new Set(),
    alt: '',
    inFigure: false,
    footnotes: [],
    cited: new Set(),
    tabs: 0,
    macros: Object.fromEntries(
      Object.entries(page.frontmatter.math ?? {}).map(([k, v]) => [k, v.macro ?? v]),
    ),
    problem: (message) => site.problem(page, message),
    publish: (name, source) => c.root + site.publish(name, source, page),
    publishModule: (name) => c.root + site.publishModule(name, page),
    layoutOf: site.layoutOf,
    asset: (url) => (url.startsWith('/') ? c.root + site.publishAsset(url, page) : url),
    hrefOf(target) {
      if (target.page === page) return `#${target.id}`;
      site.refersTo(target);
      return `${c.root + target.page.path}#${target.id}`;
    },
    target: (n) =>
      c.references.find(n.html_id ?? n.identifier, n.remote ? site.pageAt(n.url) : page),
    hrefOfLink: (n) => hrefOfLink(site, c, n),
    labelAt: (url) => labelAt(site, c, url),
    node(n) {
      const render = RENDERERS[n.type];
      if (!render)
        c.problem(`no renderer for a node of type "${n.type}"${n.name ? ` (${n.name})` : ''}`);
      return render ? render(n, c) : '';
    },
    all: (nodes) => nodes.map(c.node).join(''),
    kids: (n) => c.all(n.children ?? []),
    bibliography: (keys) => bibliography(site, keys),
  };
  return c;
}

/**
 * The label that a published address of this book points at. Notebooks give such addresses where
 * readers without the book's files have no other; on the site they become links like any other.
 */
function labelAt(site, c, url) {
  const base = site.options.base_url?.replace(/\/?$/, '/');
  if (!base || !url.startsWith(base)) return undefined;
  const [path, label] = url.slice(base.length).split('#');
  if (!label) return undefined;
  const known = label.startsWith('cite-')
    ? c.references.citations[label.slice(5)]
    : c.references.find(label, c.page)?.page.path === path;
  if (!known) c.problem(`"${path}" has no "${label}", to which ${url} leads`);
  return known ? label : undefined;
}

function hrefOfLink(site, c, { url = '', static: isFile }) {
  if (isFile) return c.asset(url);
  if (external(url)) return url;
  const [path, label] = url.split('#');
  const target = path.startsWith('/') ? site.pageAt(path) : undefined;
  if (target) return c.root + target.path + (label ? `#${label}` : '');
  if (url.startsWith('#') && c.references.find(label, c.page))
    return c.hrefOf(c.references.find(label, c.page));
  c.problem(`unresolved link "${url}"`);
  return url;
}

function bibliography(site, keys) {
  const item = (key) => {
    const html = site.references.citations[key].html.replace(
      / target="_blank" rel="noreferrer"/g,
      '',
    );
    return { html: `<li id="cite-${esc(key)}">${html}</li>`, order: html.replace(/<[^>]*>/g, '') };
  };
  const items = keys.map(item).sort((a, b) => (a.order < b.order ? -1 : 1));
  return `<ul class="references">${items.map((x) => x.html).join('')}</ul>`;
}

function footnotes(c) {
  const item = (n) => {
    const back = `<a href="#fnref-${esc(n.identifier)}" aria-label="Back to the text">↩</a>`;
    return `<li id="fn-${esc(n.identifier)}">${c.kids(n)} ${back}</li>`;
  };
  return c.footnotes.length
    ? html`<section class="footnotes">
        <h2>Footnotes</h2>
        <ol>${c.footnotes.map(item).join('')}</ol>
        </section>`
    : '';
}

/** Links from what the code of a page imports to the reference of the package, if there is one. */
function imported(page, c) {
  const { api } = c.references;
  const modules = api.size ? imports(page) : [];
  const link = (name) => {
    // A name, or a whole room as in `from nickbook import plot`.
    const target = api.get(name) ?? c.references.find(`api-nickbook-${name}`, page);
    if (!target) c.problem(`"${name}" is imported, and not in the reference of the package`);
    const words = `<code>${esc(name)}</code>`;
    return target ? `<a href="${esc(c.hrefOf(target))}">${words}</a>` : words;
  };
  const item = ({ module, names }) =>
    `<li><code>${esc(module)}</code>: ${names.map(link).join(', ')}</li>`;
  return modules.length
    ? html`<section class="imports">
        <h2 id="imports">Used from the package</h2>
        <ul>${modules.map(item).join('')}</ul>
        </section>`
    : '';
}

/** Links to run, download and read the source of a page. */
function actions(site, page, c) {
  const repository = site.project.github;
  const notebook = page.location.endsWith('.ipynb');
  const source = notebook ? page.location.replace(/ipynb$/, 'md') : page.location;
  const file = (page.frontmatter.exports ?? []).find((x) => x.format === 'ipynb');
  // mystmd cuts the names of the files it copies.
  const download = () => c.publish(file.filename, { url: file.url });
  const name = repository?.split('/').slice(-2).join('/');
  const links = [
    notebook &&
      repository && [
        `https://mybinder.org/v2/gh/${name}/HEAD?urlpath=lab/tree${page.location}`,
        'Open in Binder',
      ],
    notebook &&
      repository && [
        `https://colab.research.google.com/github/${name}/blob/main${page.location}`,
        'Open in Colab',
      ],
    notebook && file && [download(), 'Download notebook', ' download'],
    repository && [`${repository}/blob/HEAD${source}`, 'Source'],
  ].filter(Boolean);
  const item = ([url, text, more = '']) => `<li><a href="${esc(url)}"${more}>${text}</a></li>`;
  return `<ul class="actions">${links.map(item).join('')}</ul>`;
}

function header(site, page, c) {
  const { title, subtitle } = page.frontmatter;
  const number = page.chapter ? `<span class="num">${esc(page.chapter)}</span> ` : '';
  const below = subtitle ? `<p class="subtitle">${esc(subtitle)}</p>` : '';
  const links = page.slug === site.project.index ? '' : actions(site, page, c);
  return `<header class="title"><h1>${number}${esc(title)}</h1>${below}${links}</header>`;
}

const label = (entry) =>
  `${entry.page?.chapter ? `<span class="num">${esc(entry.page.chapter)}</span> ` : ''}${esc(entry.short_title ?? entry.title)}`;

/** The entry that another one stands under, if that is a page. */
function parent(toc, e) {
  const above = toc.slice(0, toc.indexOf(e)).findLast((other) => other.level < e.level);
  return above?.page ? above : undefined;
}

/** The table of contents: parts are headings of lists, pages are links, unfolded where one is. */
function contents(site, page, root) {
  const here = site.toc.find((e) => page && e.page === page);
  const opened = new Set(here && [here, parent(site.toc, here)].filter(Boolean));
  const shown = site.toc.filter((e) => !parent(site.toc, e) || opened.has(parent(site.toc, e)));
  const entry = (e) => {
    if (!e.page) return `<li class="part">${esc(e.title)}</li>`;
    const here = e.page === page ? ' aria-current="page"' : '';
    return `<li class="level-${e.level}"><a href="${root}${e.page.path}"${here}>${label(e)}</a></li>`;
  };
  return `<ul>${shown.map(entry).join('')}</ul>`;
}

const CLOSE_IF_NARROW =
  "if(matchMedia('(max-width:72rem)').matches)" +
  'document.currentScript.previousElementSibling.open=false';

/** Open beside a wide page; on a narrow one it starts closed, before anything is painted. */
function outline(page, c) {
  const headings = findAll(page.mdast, is('heading')).filter((h) => h.html_id && h.depth <= 3);
  if (headings.length < 2) return '';
  const words = (h) =>
    `${h.enumerator ? `${esc(h.enumerator)} ` : ''}${c
      .all(h.children)
      .replace(/<\/?(a|abbr)\b[^>]*>/g, '')
      .replace(/ id="[^"]*"/g, '')}`;
  const items = headings.map(
    (h) => `<li class="depth-${h.depth}"><a href="#${esc(h.html_id)}">${words(h)}</a></li>`,
  );
  return html`<nav class="outline" aria-label="On this page">
    <details open><summary>On this page</summary><ul>${items.join('')}</ul></details>
    <script>${CLOSE_IF_NARROW}</script>
    </nav>`;
}

function steps(site, page, root) {
  const i = site.toc.filter((e) => e.page).findIndex((e) => e.page === page);
  const entries = site.toc.filter((e) => e.page);
  const step = (e, rel, words) =>
    e
      ? `<a rel="${rel}" href="${root}${e.page.path}"><small>${words}</small>${label(e)}</a>`
      : '<span></span>';
  return html`<nav class="steps" aria-label="Previous and next page">
    ${step(entries[i - 1], 'prev', 'Previous')}${step(entries[i + 1], 'next', 'Next')}</nav>`;
}

const BEFORE_PAINTING =
  "document.documentElement.className='js';" +
  "try{document.documentElement.dataset.theme=localStorage.theme||''}catch{}";

const CARD = {
  url: 'card.png',
  size: [1200, 630],
  alt: 'Two square lattices joined by dimers, with the name of the book',
};

/** What a link to a page shows elsewhere: the page's first figure, or else the card of the book. */
function cardOf(c, page) {
  const first = c.firstPicture;
  if (!first || !page.chapter) return CARD;
  const size = [16, 20].map((at) => first.bytes.readUInt32BE(at)); // as every PNG begins
  return { url: first.url.slice(c.root.length), size, alt: first.alt };
}

function head(site, { title, description, path, root, main, card: shown = CARD }) {
  const full = title === site.project.title ? title : `${title} · ${site.name}`;
  const base = site.options.base_url?.replace(/\/?$/, '/');
  const card = base
    ? `<link rel="canonical" href="${esc(base + path.replace(/(^|\/)index\.html$/, '$1'))}">
<meta property="og:url" content="${esc(base + path)}">
<meta property="og:image" content="${esc(base + shown.url)}">
<meta property="og:image:width" content="${shown.size[0]}">
<meta property="og:image:height" content="${shown.size[1]}">
<meta property="og:image:alt" content="${esc(shown.alt)}">
<meta name="twitter:card" content="summary_large_image">\n`
    : '';
  const [opening] = seen(main).split('<section');
  return `<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${esc(full)}</title>
<meta name="description" content="${esc(description)}">
<meta property="og:type" content="article">
<meta property="og:site_name" content="${esc(site.project.title)}">
<meta property="og:title" content="${esc(title)}">
<meta property="og:description" content="${esc(description)}">
${card}<link rel="icon" href="${root}favicon.svg" type="image/svg+xml">
${styles(main, opening, root)}
<script>${BEFORE_PAINTING}</script>
<script defer src="${root}site.js" data-root="${root}"></script>`;
}

const SEARCH = html`<dialog class="search" aria-label="Search the book">
  <form method="dialog">
    <input type="search" placeholder="Search" aria-label="Search for" autocomplete="off">
    <button aria-label="Close the search">×</button>
  </form>
  <ol role="list" aria-live="polite"></ol>
  </dialog>`;

/**
 * The frame around a page's content; it alone knows the site's header, footer and dialogs.
 * @param {any} site
 * @param {{title: string, description: string, path: string, root: string, main: string,
 *   page?: any, aside?: string, after?: string, kind?: string,
 *   card?: {url: string, size: number[], alt: string}}} parts
 */
export function layout(
  site,
  { title, description, path, root, main, page, aside = '', after = '', kind = '', card = CARD },
) {
  const { content, code } = site.project.license ?? {};
  const licenses = [content && `Text ${esc(content.id)}`, code && `code ${esc(code.id)}`]
    .filter(Boolean)
    .join(', ');
  const authors = (site.project.authors ?? []).map((a) => esc(a.name)).join(', ');
  const repository = site.project.github
    ? ` · <a href="${esc(site.project.github)}">Repository</a>`
    : '';
  const address = `${esc(site.options.base_url ?? '')}${esc(path)}`;
  return `<!doctype html>
<html lang="en">
<head>
${head(site, { title, description, path, root, main, card })}
</head>
<body${cls(kind)}>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<button class="menu js-only" type="button" aria-label="Contents" aria-expanded="false" aria-controls="toc">☰</button>
<a class="brand" href="${root}index.html"><img src="${root}favicon.svg" alt="" width="26" height="26">${esc(site.name)}</a>
<button class="search-open js-only" type="button" aria-label="Search the book"><span>Search</span> <kbd>/</kbd></button>
<button class="mode js-only" type="button" aria-label="Switch between light and dark"></button>
</header>
<div class="frame">
<nav class="toc" id="toc" aria-label="Contents">${contents(site, page, root)}</nav>
${aside}
<main id="main" tabindex="-1"><article>
${main}
</article>
${after}
</main>
</div>
<footer><p>${[authors, esc(site.edition), licenses].filter(Boolean).join(' · ')}${repository}</p><p class="print-only">${address}</p></footer>
${SEARCH}
</body>
</html>
`;
}

export function renderPage(site, page) {
  const c = context(site, page);
  const body = c.node(page.mdast);
  const notes = footnotes(c);
  const ownList = findAll(page.mdast, is('bibliography')).length > 0;
  const references =
    c.cited.size && !ownList
      ? `<section class="bibliography"><h2 id="references">References</h2>${c.bibliography([...c.cited])}</section>`
      : '';
  const { title, description = site.project.description ?? textOf(page.mdast).slice(0, 160) } =
    page.frontmatter;
  return layout(site, {
    title,
    description,
    page,
    path: page.path,
    root: c.root,
    kind: page.slug === site.project.index ? 'landing' : '',
    card: cardOf(c, page),
    main: [header(site, page, c), body, notes, imported(page, c), references]
      .filter(Boolean)
      .join('\n'),
    aside: outline(page, c),
    after: steps(site, page, c.root),
  });
}
