"""Image files of log-spectrograms (levels): greyscale PNGs that can be inverted, and coloured pictures that cannot.

A new range of levels is one more classmethod of `LevelRange`.
"""

from spectronorm.image_files.codec import DecodedImage as DecodedImage
from spectronorm.image_files.codec import ImageCodec as ImageCodec
from spectronorm.image_files.codec import decode as decode
from spectronorm.image_files.codec import encode_image as encode_image
from spectronorm.image_files.header import Header as Header
from spectronorm.image_files.header import Layout as Layout
from spectronorm.image_files.level_range import LevelRange as LevelRange
from spectronorm.image_files.picture import contact_sheet as contact_sheet
from spectronorm.image_files.picture import encode_picture as encode_picture
