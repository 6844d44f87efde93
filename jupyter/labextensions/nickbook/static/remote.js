// JupyterLab loads this as one of its extensions: it shows an explorer from the table in its output,
// by the same front end as the pages, so that a chapter answers before its kernel runs.
// Bundlers wrap extensions in a container with `init` and `get`; this one is small enough to be one.
(() => {
  const EXPLORER = 'application/vnd.nickbook.explorer+json';
  const frontEnd = new URL('../../../../static/explorer.mjs', document.currentScript.src).href;
  let shared;

  /** The newest version of a package that JupyterLab shares. */
  async function share(name) {
    const versions = Object.values(shared[name]);
    return (await versions.at(-1).get())();
  }

  async function renderer() {
    const [{ default: explorer }, { Widget }] = await Promise.all([
      import(frontEnd),
      share('@lumino/widgets'),
    ]);

    class Explorer extends Widget {
      cleanUp = () => {};

      async renderModel({ data }) {
        const state = data[EXPLORER].model;
        const model = { get: (key) => state[key] };
        this.cleanUp();
        this.node.replaceChildren();
        this.cleanUp = await explorer.render({ model, el: this.node });
      }

      dispose() {
        this.cleanUp();
        super.dispose();
      }
    }

    return {
      id: 'nickbook:explorer',
      dataType: 'json',
      // Safe also where the notebook is not trusted: it brings numbers, and no script.
      rendererFactory: { safe: true, mimeTypes: [EXPLORER], createRenderer: () => new Explorer() },
      rank: 0,
      // A chapter's source opens as a notebook, as the setting `defaultViewers` says of this type of
      // Jupytext's. Other pages stay text: a notebook that saves them would leave an .ipynb.
      fileTypes: [
        {
          name: 'myst',
          displayName: 'Chapter',
          extensions: [],
          pattern: '^\\d\\d-[^/]*\\.md$',
          mimeTypes: ['text/markdown'],
          fileFormat: 'text',
        },
      ],
      documentWidgetFactoryOptions: [], // without them Lab ignores the file types
    };
  }

  const containers = (globalThis._JUPYTERLAB ??= {});
  containers.nickbook = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const plugin = await renderer();
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
