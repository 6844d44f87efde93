// Hover cards of other pages: a script for each page with the HTML of what others refer to. A page
// opened from a disk may run scripts, but may not fetch the other page itself.
import { registration } from './registration.mjs';

/** The element that starts at a place of a page that this theme has written. */
export function elementAt(html, start) {
  const [, name] = /^<([a-z][a-z0-9]*)/.exec(html.slice(start, start + 20)) ?? [];
  if (!name) return '';
  if (/^(img|input|br|hr|link|meta)$/.test(name))
    return html.slice(start, html.indexOf('>', start) + 1);
  const tags = new RegExp(`<(/?)${name}\\b[^>]*>`, 'g');
  tags.lastIndex = start;
  let depth = 0;
  for (let tag = tags.exec(html); tag; tag = tags.exec(html)) {
    depth += tag[1] ? -1 : 1;
    if (depth === 0) return html.slice(start, tags.lastIndex);
  }
  return '';
}

/** What has an id; a heading or a word of the glossary with what comes after it. */
export function cardOf(html, id) {
  const at = html.indexOf(` id="${id}"`);
  const start = html.lastIndexOf('<', at);
  const own = at < 0 ? '' : elementAt(html, start);
  if (!/^<(h\d|dt)\b/.test(own)) return own;
  const end = start + own.length;
  const next = html.slice(end).search(/\S/);
  return own + (next < 0 ? '' : elementAt(html, end + next));
}

export const cardsPath = (page) => `cards/${page.path.replace(/\.html$/, '.js')}`;

/** @type {(page: any, html: string, ids: Iterable<string>) => string} */
export const cards = (page, html, ids) =>
  registration(
    cardsPath(page),
    Object.fromEntries([...ids].sort().map((id) => [id, cardOf(html, id)])),
  );
