"""Settings of the server that `make lab` and Binder start; a user's own come on top."""

import warnings
from pathlib import Path

from nickbook import book
from nickbook.book.notebooks import before_saving

c = get_config()  # noqa: F821
c.FileContentsManager.pre_save_hook = before_saving
warnings.filterwarnings("ignore", "Overriding existing pre_save_hook")  # set twice at each start
# Where the extension of JupyterLab beside this finds `explorer.mjs`.
c.ServerApp.extra_static_paths = [str(Path(book.__file__).parent)]
