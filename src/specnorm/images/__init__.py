"""Level ↔ image: greyscale PNGs that carry what their inverse needs, and coloured pictures that do not.

A new range of levels is one more classmethod of `LevelRange`; a new foreign picture is a file such as `legacy.py`.
"""

from specnorm.images.codec import DecodedImage as DecodedImage
from specnorm.images.codec import ImageCodec as ImageCodec
from specnorm.images.codec import decode as decode
from specnorm.images.codec import encode_image as encode_image
from specnorm.images.header import Header as Header
from specnorm.images.header import Layout as Layout
from specnorm.images.legacy import LegacyImage as LegacyImage
from specnorm.images.legacy import LegacyLogMel as LegacyLogMel
from specnorm.images.legacy import decode_legacy_logmel as decode_legacy_logmel
from specnorm.images.level_range import LevelRange as LevelRange
from specnorm.images.picture import contact_sheet as contact_sheet
from specnorm.images.picture import encode_picture as encode_picture
