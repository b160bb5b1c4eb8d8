"""Atomic files, canonical JSON, and the container of everything that is saved."""

from spectronorm.storage.atomic import atomic_write as atomic_write
from spectronorm.storage.atomic import remove_unfinished as remove_unfinished
from spectronorm.storage.atomic import write_text as write_text
from spectronorm.storage.canonical_json import canonical_json as canonical_json
from spectronorm.storage.content import Content as Content
from spectronorm.storage.damage import DAMAGE as DAMAGE
from spectronorm.storage.damage import refuse_damage as refuse_damage
from spectronorm.storage.replacement import overwriting as overwriting
from spectronorm.storage.replacement import protecting as protecting
from spectronorm.storage.strict_json import read_bounded as read_bounded
from spectronorm.storage.strict_json import strict_json as strict_json
