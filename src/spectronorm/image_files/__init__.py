"""Image files of log-spectrograms (levels): greyscale PNGs that can be inverted, and coloured pictures that cannot.

A new range of levels is one class and one line here.
"""

from spectronorm.image_files.codec import DecodedImage as DecodedImage
from spectronorm.image_files.codec import ImageCodec as ImageCodec
from spectronorm.image_files.codec import decode as decode
from spectronorm.image_files.codec import encode_image as encode_image
from spectronorm.image_files.header import Header as Header
from spectronorm.image_files.header import Layout as Layout
from spectronorm.image_files.image_range import IMAGE_RANGES as IMAGE_RANGES
from spectronorm.image_files.image_range import ImageRange as ImageRange
from spectronorm.image_files.image_range import parse_range as parse_range
from spectronorm.image_files.level_range import LevelRange as LevelRange
from spectronorm.image_files.picture import contact_sheet as contact_sheet
from spectronorm.image_files.picture import encode_picture as encode_picture
from spectronorm.image_files.ranges import Extremes as Extremes
from spectronorm.image_files.ranges import FixedDb as FixedDb
from spectronorm.image_files.ranges import Quantiles as Quantiles
from spectronorm.image_files.ranges import Sigma as Sigma
