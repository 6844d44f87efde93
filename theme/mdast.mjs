// MyST syntax tree (as mystmd 1.11 writes it) to HTML. A node type not listed fails the build.
import { findAll, is, isWordless, textOf } from './content.mjs';
import { aside, prose } from './glossary.mjs';
import { output } from './outputs.mjs';
import { inSections } from './sections.mjs';
import { attr, cls, esc, highlight, html, tex } from './typeset.mjs';

const id = (n) => attr('id', n.html_id);
const css = (length) => (/^\d+$/.test(length) ? `${length}px` : length);
const tag = (name, own) => (n, c) => `<${name}${id(n)}${cls(own, n.class)}>${c.kids(n)}</${name}>`;
const worded = (name) => (n, c) =>
  `<${name}${id(n)}${cls(n.class)}>${prose(n.children ?? [], c)}</${name}>`;
const through = (n, c) => c.kids(n);
const nothing = () => '';

/** A first child of a given type and the other children. */
function split(n, type) {
  const children = n.children ?? [];
  const first = children.find(is(type));
  return [first, children.filter((x) => x !== first)];
}

const isDropdown = (n) => /\bdropdown\b/.test(n.class ?? '');

const folded = (n, c, body) => (isDropdown(n) ? aside(c, () => c.all(body)) : c.all(body));

/** A titled box, closed when its class says dropdown; then a link in its title would be a trap. */
const box = (n, classes, title, body) =>
  isDropdown(n)
    ? html`<details${id(n)}${classes}${n.open ? ' open' : ''}>
        <summary class="box-title">${title.replace(/<\/?a\b[^>]*>/g, '')}</summary>
        ${body}</details>`
    : `<div${id(n)}${classes}><p class="box-title">${title}</p>${body}</div>`;

function admonition(n, c) {
  const [title, body] = split(n, 'admonitionTitle');
  const kind = n.kind ?? 'note';
  const words = title ? c.kids(title) : esc(kind);
  return box(n, cls('admonition', kind, n.class), words, folded(n, c, body));
}

/** Exercises, solutions, theorems. */
function statement(n, c) {
  const name = n.type === 'proof' ? (n.kind ?? 'proof') : n.type;
  const [title, body] = split(n, 'admonitionTitle');
  const given = title ? c.kids(title) : '';
  const number = n.enumerator ? ` ${esc(n.enumerator)}` : '';
  const label = `${name[0].toUpperCase()}${name.slice(1)}${number}`;
  const head = n.type === 'solution' && given ? given : `${label}${given && ` (${given})`}`;
  return box(n, cls('statement', name, n.class), head, folded(n, c, body));
}

const fold = (n, label, html) =>
  n.visibility === 'remove' || !html
    ? ''
    : n.visibility === 'hide'
      ? `<details class="fold"><summary>${label}</summary>${html}</details>`
      : html;

/** A cell or a `+++` block. A figure in a cell takes over the cell's label as its own id. */
function block(n, c) {
  if (n.visibility === 'remove') return '';
  const named = n.label && !n.number && !n.children.some(is('container')) ? id(n) : '';
  if (n.kind === 'notebook-code') {
    const inner = `${c.kids(n)}${foldedCode(n.folded ?? [])}`;
    return fold(n, 'Show cell', `<div${named}${cls('cell', n.class)}>${inner}</div>`);
  }
  return n.class || named ? `<div${named}${cls('block', n.class)}>${c.kids(n)}</div>` : c.kids(n);
}

const isFolded = (n) => n.executable && n.visibility === 'hide';
const hasFolded = (n) =>
  n?.kind === 'notebook-code' && !n.visibility && (n.children ?? []).some(isFolded);

/** What a block of text holds that is nothing but a place in the source. */
const contents = (n) =>
  n.type === 'block' && n.kind !== 'notebook-code' && !n.visibility && !n.class && !n.label
    ? n.children
    : [n];

/** Folded code stands below what it draws, together with that of cells before it that show nothing. */
function root(n, c) {
  const cells = n.children ?? [];
  let waiting = [];
  const shown = cells.flatMap((cell, i) => {
    if (!hasFolded(cell)) return [cell];
    waiting.push(...cell.children.filter(isFolded));
    const rest = cell.children.filter((x) => !isFolded(x));
    const silent = !cell.label && !findAll({ children: rest }, is('output')).length;
    if (silent && hasFolded(cells[i + 1])) return [];
    const folded = waiting;
    waiting = [];
    return [{ ...cell, children: rest, folded }];
  });
  return inSections(shown.flatMap(contents), c.node);
}

function source(n) {
  const language = cls(n.lang && `language-${n.lang}`);
  const code = `<pre><code${language}>${highlight(n.value ?? '', n.lang)}</code></pre>`;
  const name = n.filename ? `<div class="filename">${esc(n.filename)}</div>` : '';
  return `<div${n.executable ? '' : id(n)}${cls('code', n.class)}>${name}${code}</div>`;
}

const code = (n) => (n.executable ? fold(n, 'Show code', source(n)) : source(n));
const foldedCode = (cells) => fold({ visibility: 'hide' }, 'Show code', cells.map(source).join(''));

const outputs = (n, c) => {
  const inner = c.kids(n);
  return inner && fold(n, 'Show output', `<div class="outputs">${inner}</div>`);
};

function container(n, c) {
  if (n.kind === 'quote') return `<figure class="quote">${c.kids(n)}</figure>`;
  const before = { alt: c.alt, inFigure: c.inFigure };
  c.alt = findAll(n, is('caption'))
    .map((x) => textOf({ children: findAll(x, is('text')) }))
    .join(' ');
  c.inFigure = true;
  c.figureNumber = n.number;
  const inner = aside(c, () => c.kids(n));
  const html = `<figure${id(n)}${cls('fig', `fig-${n.kind}`, n.class)}>${inner}</figure>`;
  Object.assign(c, before);
  return html;
}

/** mystmd counts figures of code cells apart; the theme's number counts both. */
function captionNumber(n, c) {
  const words =
    n.kind === 'figure' && c.figureNumber
      ? `Figure ${esc(c.figureNumber)}`
      : c.kids(n).replace(/:$/, '');
  return `<a class="capnum" href="#${esc(n.html_id)}">${words}</a> `;
}

function table(n, c) {
  const rows = n.children ?? [];
  const head = rows.filter((row) => row.children?.every((cell) => cell.header));
  const body = rows.filter((row) => !head.includes(row));
  const thead = head.length ? `<thead>${c.all(head)}</thead>` : '';
  const inner = `${thead}<tbody>${c.all(body)}</tbody>`;
  return `<div class="table-wrap"><table${id(n)}${cls(n.class)}>${inner}</table></div>`;
}

function tableCell(n, c) {
  const [only, ...more] = n.children ?? [];
  const inner = only?.type === 'paragraph' && more.length === 0 ? c.kids(only) : c.kids(n);
  const name = n.header && inner ? 'th' : 'td';
  const style = n.align ? ` style="text-align:${esc(n.align)}"` : '';
  const spans = attr('colspan', n.colspan) + attr('rowspan', n.rowspan);
  return `<${name}${spans}${style}>${inner}</${name}>`;
}

function link(n, c) {
  const label = c.labelAt(n.url ?? '');
  if (label?.startsWith('cite-')) return cite({ ...n, label: label.slice(5) }, c);
  if (label) return crossReference({ ...n, label, identifier: label }, c);
  const url = c.hrefOfLink(n);
  const download = n.static ? ' download' : '';
  return `<a href="${esc(url)}"${cls(n.class)}${download}>${c.kids(n) || esc(n.url)}</a>`;
}

/** A reference by label; its number is ours, as mystmd does not number the figures of code cells. */
function crossReference(n, c) {
  const target = n.resolved === false ? undefined : c.target(n);
  if (!target) {
    c.problem(`unresolved reference "${n.label ?? n.identifier}"`);
    return c.kids(n);
  }
  // A heading that has no number is called by its title.
  const nameless = !target.number && n.children?.some(({ value }) => value === '??');
  const words =
    isWordless(n) || nameless
      ? esc(c.references.nameOf(target))
      : (n.children ?? [])
          .map((x) =>
            [n.enumerator, '??'].includes(x.value) && target.number
              ? esc(target.number)
              : c.node(x),
          )
          .join('');
  if (!words || words.includes('??'))
    c.problem(`the reference "${n.label}" has no number or title to show`);
  if (target.node.type === 'definitionTerm') c.explained.add(target.id);
  return `<a class="xref" href="${esc(c.hrefOf(target))}">${words}</a>`;
}

function cite(n, c) {
  if (n.error || !c.references.citations[n.label]) {
    c.problem(`unresolved citation "${n.label}"`);
    return esc(n.label);
  }
  c.cited.add(n.label);
  return `<a class="cite" href="#cite-${esc(n.label)}">${c.kids(n)}</a>`;
}

function citeGroup(n, c) {
  const items = (n.children ?? []).map((x) => c.node(x));
  return n.kind === 'narrative' ? items.join(' and ') : `(${items.join('; ')})`;
}

function tabSet(n, c) {
  const name = `tabs-${++c.tabs}`;
  const item = (tab, i) => {
    const key = `${name}-${i}`;
    const checked = (tab.selected ?? i === 0) ? ' checked' : '';
    const sync = esc(tab.sync ?? tab.title);
    return html`<input type="radio" name="${name}" id="${key}" data-sync="${sync}"${checked}>
      <label for="${key}">${esc(tab.title)}</label>
      <div class="tab-panel">${c.kids(tab)}</div>`;
  };
  return `<div class="tabs">${(n.children ?? []).map(item).join('')}</div>`;
}

function card(n, c) {
  const [title, body] = split(n, 'cardTitle');
  const words = title ? c.kids(title) : '';
  const head =
    words &&
    `<p class="card-title">${n.url ? `<a href="${esc(c.hrefOfLink(n))}">${words}</a>` : words}</p>`;
  return `<div${id(n)}${cls('card', n.class)}>${head}${aside(c, () => c.all(body))}</div>`;
}

function image(n, c) {
  const size = ['width', 'height']
    .filter((k) => n[k])
    .map((k) => `${k}:${css(n[k])}`)
    .join(';');
  const alt = n.alt ?? c.alt;
  const look = attr('style', size) + cls(n.class, n.align && `align-${n.align}`);
  const source = esc(c.asset(n.urlOptimized ?? n.url));
  return `<img src="${source}" alt="${esc(alt)}"${look} loading="lazy">`;
}

function heading(n, c) {
  const name = `h${Math.min(n.depth, 6)}`;
  const number = n.enumerator ? `<span class="num">${esc(n.enumerator)}</span> ` : '';
  const anchor = n.html_id
    ? `<a class="anchor" href="#${esc(n.html_id)}" aria-label="Link to this section">#</a>`
    : '';
  return `<${name}${id(n)}${cls(n.class)}>${number}${c.kids(n)}${anchor}</${name}>`;
}

function math(n, c) {
  const number = n.enumerator
    ? `<a class="eq-num" href="#${esc(n.html_id)}">(${esc(n.enumerator)})</a>`
    : '';
  const body = n.html ?? tex(n.value, c.macros, true);
  return `<div${id(n)} class="eq"><div class="eq-body">${body}</div>${number}</div>`;
}

function list(n, c) {
  const name = n.ordered ? 'ol' : 'ul';
  const start = n.start > 1 ? attr('start', n.start) : '';
  return `<${name}${start}${cls(n.class)}>${c.kids(n)}</${name}>`;
}

function listItem(n, c) {
  const tight = (x) => x.type === 'paragraph' && !(n.spread && n.children.length > 1);
  return `<li>${(n.children ?? []).map((x) => (tight(x) ? prose(x.children, c) : c.node(x))).join('')}</li>`;
}

function details(n, c) {
  const [summary, body] = split(n, 'summary');
  const title = summary ? c.kids(summary) : 'Details';
  return html`<details${id(n)}${cls('dropdown', n.class)}>
    <summary class="box-title">${title}</summary>
    ${aside(c, () => c.all(body))}</details>`;
}

function footnoteReference(n) {
  const [name, number] = [esc(n.identifier), esc(n.enumerator ?? n.identifier)];
  return html`<sup class="fn">
    <a id="fnref-${name}" href="#fn-${name}" aria-label="Footnote ${number}">${number}</a>
    </sup>`;
}

/** Kept for the end of the page. */
function footnoteDefinition(n, c) {
  c.footnotes.push(n);
  return '';
}

export const RENDERERS = {
  root,
  embed: through,
  include: through,
  summary: through,
  header: through,
  footer: through,
  comment: nothing,
  mystTarget: nothing,
  mystComment: nothing,
  admonition,
  block,
  captionNumber,
  card,
  cite,
  citeGroup,
  code,
  container,
  crossReference,
  details,
  footnoteReference,
  heading,
  image,
  link,
  list,
  listItem,
  math,
  output,
  outputs,
  tabSet,
  table,
  tableCell,
  proof: statement,
  exercise: statement,
  solution: statement,
  text: (n) => esc(n.value),
  html: (n) => n.value ?? '',
  break: () => '<br>',
  thematicBreak: () => '<hr>',
  paragraph: worded('p'),
  blockquote: tag('blockquote'),
  div: tag('div'),
  span: tag('span'),
  tableRow: tag('tr'),
  emphasis: tag('em'),
  strong: worded('strong'),
  delete: tag('del'),
  underline: tag('u'),
  keyboard: tag('kbd'),
  subscript: tag('sub'),
  superscript: tag('sup'),
  smallcaps: tag('span', 'smallcaps'),
  definitionList: tag('dl'),
  definitionTerm: tag('dt'),
  definitionDescription: tag('dd'),
  glossary: tag('div', 'glossary'),
  caption: tag('figcaption'),
  legend: tag('div', 'legend'),
  aside: tag('aside', 'margin'),
  inlineExpression: tag('span', 'expr'),
  mathGroup: tag('div', 'eq-group'),
  inlineCode: (n) => `<code${cls(n.class)}>${esc(n.value)}</code>`,
  inlineMath: (n, c) => n.html ?? tex(n.value, c.macros, false),
  abbreviation: (n, c) => `<abbr title="${esc(n.title)}">${c.kids(n)}</abbr>`,
  chemicalFormula: (n) =>
    `<span class="chem">${esc(n.value).replace(/(?<=[\p{L})\]])(\d+)/gu, '<sub>$1</sub>')}</span>`,
  si: (n) => `<span class="si">${esc(n.value)}</span>`,
  grid: (n, c) =>
    `<div class="grid" style="--columns:${Number(n.columns?.at(-1) ?? 2)}">${c.kids(n)}</div>`,
  footnoteDefinition,
  bibliography: (_, c) => c.bibliography(Object.keys(c.references.citations)),
};
