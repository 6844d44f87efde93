// What the search looks through: one record for each section, claim and word of the glossary.
import { elementAt } from './cards.mjs';
import { is, isWordless, textOf } from './content.mjs';
import { tex } from './typeset.mjs';

const SILENT = new Set([
  'code',
  'cite',
  'comment',
  'math',
  'mystTarget',
  'embed',
  'bibliography',
  'footnoteReference',
  'captionNumber',
]);

/** Words for one thing, beside those of the glossary. */
const SYNONYMS = [
  ['install', 'installation', 'setup', 'set up'],
  ['run', 'execute', 'start'],
  ['cite', 'citation', 'bibtex'],
  ['exercise', 'problem'],
  ['neutrons', 'neutron scattering'],
  ['photoemission', 'ARPES'],
];

/** Sections of chapters come first, single claims and functions last. */
function weight(page, isIndex) {
  if (page.chapter || isIndex) return 2;
  if (/^api|^ledger|^equations/.test(page.slug)) return 0.25;
  return 1.4;
}

const ENTITIES = { lt: '<', gt: '>', amp: '&', quot: '"', '#x27': "'" };
const RAISED = { '-': '⁻', '−': '⁻', '+': '⁺', ...Object.fromEntries([...'⁰¹²³⁴⁵⁶⁷⁸⁹'].entries()) };

/** The elements of a piece of MathML, each as text. */
function mathParts(html) {
  const parts = [];
  for (let at = html.indexOf('<'); at >= 0; at = html.indexOf('<', at)) {
    const element = elementAt(html, at);
    if (!element) break;
    parts.push(mathElement(element));
    at += element.length;
  }
  return parts;
}

function mathElement(element) {
  const [, name] = /^<(\w+)/.exec(element) ?? [];
  const inner = element.slice(element.indexOf('>') + 1, element.lastIndexOf('</'));
  if (name === 'annotation') return '';
  if (!inner.includes('<')) return inner;
  const parts = mathParts(inner);
  if (name === 'mfrac') return parts.join('/');
  if (name === 'msqrt') return `√${parts.join('')}`;
  if (name === 'msup') return parts[0] + [...(parts[1] ?? '')].map((c) => RAISED[c] ?? c).join('');
  return parts.join('');
}

/** A typeset formula as one would write it in a line of text. */
export function formula(html) {
  const at = html.indexOf('<math');
  if (at < 0) return '';
  return mathElement(elementAt(html, at))
    .replace(/&([\w#]+);/g, (_, name) => ENTITIES[name] ?? '')
    .replace(/[\u2061-\u2064\u200b]/g, '');
}

/** The caption of a figure without the signs of Markdown. */
const plain = (source, macros) =>
  source
    .replace(/\$([^$]+)\$/g, (_, inner) => formula(tex(inner, macros, false)))
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*`]+/g, '');

function words(node, macros) {
  if (SILENT.has(node.type) || node.visibility === 'remove') return '';
  if (node.type === 'crossReference' && isWordless(node)) return '';
  if (node.type === 'output')
    return node.figure ? `Figure ${node.figure.number} ${plain(node.figure.caption, macros)} ` : '';
  if (node.type === 'inlineMath') return formula(node.html ?? tex(node.value, macros, false));
  if (node.value !== undefined) return node.value;
  const inLine = node.children?.some(is('text'));
  return (node.children ?? []).map((child) => words(child, macros)).join(inLine ? '' : ' ');
}

function sections(page, isIndex) {
  const macros = Object.fromEntries(
    Object.entries(page.frontmatter.math ?? {}).map(([k, v]) => [k, v.macro ?? v]),
  );
  const boost = weight(page, isIndex);
  const records = [];
  const add = (id, trail, text, weight = boost) =>
    records.push({ url: page.path + (id ? `#${id}` : ''), trail, text, weight });
  add('', [page.frontmatter.title], '');
  const visit = (node, i, siblings) => {
    const above = records[records.length - 1];
    if (node.type === 'heading' && node.html_id) {
      const trail = above.trail.slice(0, Math.max(1, node.depth - 1));
      add(node.html_id, [...trail, words(node, macros)], '');
    } else if (node.type === 'details' && node.html_id) {
      const [title, ...body] = node.children;
      const text = body.map((part) => words(part, macros)).join(' ');
      add(node.html_id, [above.trail[0], words(title, macros)], text);
    } else if (node.type === 'definitionTerm' && node.html_id?.startsWith('term-')) {
      add(
        node.html_id,
        [page.frontmatter.title, textOf(node)],
        words(siblings[i + 1], macros),
        2.5,
      );
    } else if (node.type === 'definitionDescription' && above.url.includes('#term-')) {
      // It stands with its word.
    } else if (['root', 'block', 'div', 'glossary', 'definitionList'].includes(node.type)) {
      node.children?.forEach(visit);
    } else {
      above.text += ` ${words(node, macros)}`;
    }
  };
  visit(page.mdast, 0, []);
  return records.map(({ url, trail, text, weight }) => [
    url,
    trail.map((title) => title.replace(/\s+/g, ' ').trim()),
    text.replace(/\s+/g, ' ').trim(),
    weight,
  ]);
}

export const searchIndex = (site) => ({
  records: site.pages.flatMap((page) => sections(page, page.slug === site.project.index)),
  synonyms: [...site.glossary.synonyms().filter((group) => group.length > 1), ...SYNONYMS],
});
