"""Level ↔ image: greyscale PNGs that carry what their inverse needs, and coloured pictures that do not.

A new range of levels is one class and one line here.
"""

from spectronorm.images.codec import DecodedImage as DecodedImage
from spectronorm.images.codec import ImageCodec as ImageCodec
from spectronorm.images.codec import decode as decode
from spectronorm.images.codec import encode_image as encode_image
from spectronorm.images.header import Header as Header
from spectronorm.images.header import Layout as Layout
from spectronorm.images.image_range import IMAGE_RANGES as IMAGE_RANGES
from spectronorm.images.image_range import ImageRange as ImageRange
from spectronorm.images.image_range import parse_range as parse_range
from spectronorm.images.level_range import LevelRange as LevelRange
from spectronorm.images.picture import contact_sheet as contact_sheet
from spectronorm.images.picture import encode_picture as encode_picture
from spectronorm.images.ranges import Extremes as Extremes
from spectronorm.images.ranges import FixedDb as FixedDb
from spectronorm.images.ranges import Quantiles as Quantiles
from spectronorm.images.ranges import Sigma as Sigma
