"""Images of log-spectrograms (levels): greyscale PNGs that can be inverted, and coloured pictures that cannot.

A new range of levels is one more classmethod of `LevelRange`.
"""

from spectronorm.images.codec import DecodedImage as DecodedImage
from spectronorm.images.codec import ImageCodec as ImageCodec
from spectronorm.images.codec import decode as decode
from spectronorm.images.codec import encode_image as encode_image
from spectronorm.images.header import Header as Header
from spectronorm.images.header import Layout as Layout
from spectronorm.images.level_range import LevelRange as LevelRange
from spectronorm.images.picture import contact_sheet as contact_sheet
from spectronorm.images.picture import encode_picture as encode_picture
