// Read a MyST project as mystmd has parsed it.

/** Depth-first search for every node that satisfies a test, in document order. */
export function findAll(node, test, found = []) {
  if (test(node)) found.push(node);
  node.children?.forEach((child) => findAll(child, test, found));
  return found;
}
export const is = (type) => (node) => node.type === type;
export const textOf = (node) => node.value ?? (node.children ?? []).map(textOf).join('');

/** A reference for which mystmd knows no better words than its target's kind ("Notebook-code"). */
export const isWordless = (node) =>
  /^(span|block:.*)$/.test(node.kind) && textOf(node) === node.template;

export const joined = (content) => (Array.isArray(content) ? content.join('') : (content ?? ''));

/** mystmd moves large text outputs to files of their own: bring them back. */
async function inlineOutput({ jupyter_data: data }, get) {
  if (!data) return;
  const textAt = async (path) => String(await get(path));
  if (data.path)
    data[data.output_type === 'error' ? 'traceback' : 'text'] = await textAt(data.path);
  for (const [mime, part] of Object.entries(data.data ?? {}))
    if (part.path && !mime.startsWith('image/')) part.content = await textAt(part.path);
}

/** Read from mystmd's content server. @type {(server: string) => (path: string) => Promise<Buffer>} */
export const from = (server) => async (path) => {
  // A connection that idled for long may be closed at the very moment of its reuse.
  const response = await fetch(server + path).catch(() => fetch(server + path));
  if (!response.ok) throw new Error(`${response.status} for ${path}`);
  return Buffer.from(await response.arrayBuffer());
};

/**
 * The project, its table of contents, and every page with its outputs.
 * @param {(path: string) => Promise<Buffer>} get
 * @param {any[]} [known] pages that need not be read again
 */
export async function loadProject(get, known = []) {
  const json = async (path) => JSON.parse(String(await get(path)));
  const config = await json('/config.json');
  const [project] = config.projects;
  const toc = [
    { slug: project.index, title: project.short_title ?? project.title, level: 1 },
    ...project.pages,
  ];
  const pages = [];
  for (const { slug } of toc.filter((entry) => entry.slug)) {
    const before = known.find((page) => page.slug === slug);
    if (before) {
      pages.push(before);
      continue;
    }
    const page = await json(`/content/${slug}.json`);
    await Promise.all(findAll(page.mdast, is('output')).map((node) => inlineOutput(node, get)));
    pages.push({
      ...page,
      slug,
      path: slug === project.index ? 'index.html' : `${slug.replaceAll('.', '/')}.html`,
    });
  }
  return { config, project, toc, pages, options: config.options ?? {}, get };
}
