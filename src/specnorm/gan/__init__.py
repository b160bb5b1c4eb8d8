"""A SpecGAN (Donahue, McAuley and Puckette 2019): level images of sound, generated, heard and honestly scored."""

from specnorm.errors import MissingExtra

try:
    import torch as _torch
except (ImportError, OSError):
    raise MissingExtra("Training or using a SpecGAN", "torch") from None
del _torch
