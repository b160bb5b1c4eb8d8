"""The names and tags by which scikit-learn knows an estimator; scikit-learn itself is never imported without need."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


class Parameters:
    """Settings that `sklearn.base.clone` copies: a frozen dataclass of them derives from this."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002  (a name that scikit-learn passes)
        """Each setting by its name."""
        return params_of(self)


def params_of(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name."""
    return {f.name: getattr(value, f.name) for f in fields(value) if f.init}


def transformer_tags(*, requires_fit: bool) -> Any:
    """The tags of a transformer of arrays with more than two axes; only scikit-learn asks for them."""
    from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags  # noqa: PLC0415

    return Tags(
        estimator_type="transformer",
        target_tags=TargetTags(required=False),
        transformer_tags=TransformerTags(),
        input_tags=InputTags(two_d_array=False, three_d_array=True),
        requires_fit=requires_fit,
    )
