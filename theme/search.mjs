// The search index: one record [address, trail of headings, text] for each section of each page.
import { isWordless, textOf } from './content.mjs';

const SILENT = new Set([
  'code',
  'cite',
  'comment',
  'mystTarget',
  'embed',
  'bibliography',
  'footnoteReference',
  'captionNumber',
]);

/** Markdown and LaTeX without their signs. */
const plain = (source) =>
  source.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[\\{}^_$&*`]+/g, ' ');

function words(node) {
  if (SILENT.has(node.type) || node.visibility === 'remove') return '';
  if (node.type === 'crossReference' && isWordless(node)) return '';
  if (node.type === 'output')
    return node.figure ? `Figure ${node.figure.number} ${plain(node.figure.caption)}` : '';
  if (node.type === 'math' || node.type === 'inlineMath') return plain(node.value);
  if (node.value !== undefined) return node.value;
  return (node.children ?? []).map(words).join(node.type === 'paragraph' ? '' : ' ');
}

function sections(page) {
  const records = [{ url: page.path, trail: [page.frontmatter.title], text: '' }];
  const visit = (node) => {
    if (node.type === 'heading' && node.html_id) {
      const above = records[records.length - 1].trail.slice(0, Math.max(1, node.depth - 1));
      records.push({
        url: `${page.path}#${node.html_id}`,
        trail: [...above, textOf(node)],
        text: '',
      });
    } else if (node.type === 'details' && node.html_id) {
      const above = records[records.length - 1].trail.slice(0, 1);
      const [title, ...body] = node.children;
      const text = body.map(words).join(' ');
      records.push({ url: `${page.path}#${node.html_id}`, trail: [...above, textOf(title)], text });
    } else if (['root', 'block', 'div'].includes(node.type)) {
      node.children?.forEach(visit);
    } else {
      records[records.length - 1].text += ` ${words(node)}`;
    }
  };
  visit(page.mdast);
  return records.map(({ url, trail, text }) => [url, trail, text.replace(/\s+/g, ' ').trim()]);
}

export const searchIndex = (pages) => pages.flatMap(sections);
