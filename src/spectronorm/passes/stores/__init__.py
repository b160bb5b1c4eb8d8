"""Stores of spectrograms: a file for each clip, or shards of many clips. A format is one file and one line here."""

from collections.abc import Mapping

from spectronorm.passes.stores.parquet import write_parquet
from spectronorm.passes.stores.safetensors_shard import write_safetensors
from spectronorm.passes.stores.store import TYPES as TYPES
from spectronorm.passes.stores.store import Entry as Entry
from spectronorm.passes.stores.store import Shards as Shards
from spectronorm.passes.stores.store import Store as Store
from spectronorm.passes.stores.stored_array import HeldArray as HeldArray
from spectronorm.passes.stores.stored_array import SpooledArray as SpooledArray
from spectronorm.passes.stores.stored_array import StoredArray as StoredArray
from spectronorm.passes.stores.webdataset import write_webdataset

SHARDS: Mapping[str, Shards] = {
    "safetensors": Shards(".safetensors", "", write_safetensors),
    "webdataset": Shards(".tar", ".npy", write_webdataset),
    "parquet": Shards(".parquet", "", write_parquet),
}
"""Every format of shards by the name that `--to` takes; `npy`, a file each, is the other."""
