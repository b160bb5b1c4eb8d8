"""The names and tags by which scikit-learn knows an estimator; scikit-learn itself is never imported without need."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any, TypeVar

_T = TypeVar("_T")


class Parameters:
    """Settings that `sklearn.base.clone` copies: a frozen dataclass of them derives from this."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002  (a name that scikit-learn passes)
        """Each setting by its name."""
        return params_of(self)


def with_private_attributes(cls: type[_T]) -> type[_T]:
    """A frozen dataclass on which scikit-learn can put private attributes, as it does on the steps of a pipeline."""
    frozen, names = cls.__setattr__, {f.name for f in fields(cls)}  # type: ignore[arg-type]

    def set_private(self: _T, name: str, value: object) -> None:
        if name.startswith("_") and name not in names:
            object.__setattr__(self, name, value)
        else:
            frozen(self, name, value)

    def delete_private(self: _T, name: str) -> None:
        if not name.startswith("_") or name in names:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        object.__delattr__(self, name)

    cls.__setattr__ = set_private  # type: ignore[method-assign, assignment]
    cls.__delattr__ = delete_private  # type: ignore[method-assign, assignment]
    return cls


def params_of(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name."""
    return {f.name: getattr(value, f.name) for f in fields(value) if f.init}


def transformer_tags(*, requires_fit: bool) -> Any:
    """The tags of a transformer of arrays with more than two axes; only scikit-learn asks for them."""
    from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

    return Tags(
        estimator_type="transformer",
        target_tags=TargetTags(required=False),
        transformer_tags=TransformerTags(),
        input_tags=InputTags(two_d_array=False, three_d_array=True),
        requires_fit=requires_fit,
    )
