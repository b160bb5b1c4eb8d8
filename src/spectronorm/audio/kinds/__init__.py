"""Kinds of sources, as opened by `open_source`. Each is one file and one line here; the first that matches is used."""

from spectronorm.audio.kinds.pattern import Pattern as Pattern
from spectronorm.audio.kinds.url import Url as Url
from spectronorm.audio.kinds.saved_dataset import SavedDataset as SavedDataset
from spectronorm.audio.kinds.esc50 import Esc50 as Esc50
from spectronorm.audio.kinds.manifest import ManifestSource as ManifestSource
from spectronorm.audio.kinds.folder import Folder as Folder
from spectronorm.audio.kinds.table import Table as Table
from spectronorm.audio.kinds.archive import Archive as Archive
from spectronorm.audio.kinds.file import File as File
