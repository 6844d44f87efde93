// Read a built MyST project from mystmd's content server.

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
  const textAt = async (path) => (await get(path)).text();
  if (data.path)
    data[data.output_type === 'error' ? 'traceback' : 'text'] = await textAt(data.path);
  for (const [mime, part] of Object.entries(data.data ?? {}))
    if (part.path && !mime.startsWith('image/')) part.content = await textAt(part.path);
}

/** Code that JupyterLab collapses is folded on the page too. */
function foldCode(cell) {
  for (const code of cell.children ?? [])
    if (code.executable && code.visibility !== 'remove') code.visibility = 'hide';
}

/** The project, its table of contents, and every page with its outputs. */
export async function loadProject(server) {
  const get = async (path) => {
    const ask = () => fetch(server + path);
    // While pages are rendered, which may take long, the server closes the connection that is kept.
    const response = await ask().catch(ask);
    if (!response.ok) throw new Error(`${response.status} for ${path}`);
    return response;
  };
  const json = async (path) => (await get(path)).json();
  const config = await json('/config.json');
  const [project] = config.projects;
  const toc = [
    { slug: project.index, title: project.short_title ?? project.title, level: 1 },
    ...project.pages,
  ];
  const pages = [];
  for (const { slug } of toc.filter((entry) => entry.slug)) {
    const page = await json(`/content/${slug}.json`);
    await Promise.all(findAll(page.mdast, is('output')).map((node) => inlineOutput(node, get)));
    findAll(page.mdast, (node) => node.data?.jupyter?.source_hidden).forEach(foldCode);
    pages.push({
      ...page,
      slug,
      path: slug === project.index ? 'index.html' : `${slug.replaceAll('.', '/')}.html`,
    });
  }
  return { config, project, toc, pages, options: config.options ?? {}, get };
}
