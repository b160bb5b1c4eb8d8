"""Registry of named classes: built in, registered with a decorator, or offered by an entry point."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from spectronorm.errors import ArgumentError, PluginError, SpectronormError
from spectronorm.suggestion import choice_of, did_you_mean, known_settings

T = TypeVar("T")
Class = TypeVar("Class", bound=type)

_MARK = "_spectronorm_name"
_RESERVED = ("kind", "plugin")


class Registry(Generic[T]):
    """Classes of one `kind` by name; entry points of the group `spectronorm.KIND` are loaded when first needed.

    Args:
        kind: Plural that names the group of entry points, such as `compressions`.
        noun: Singular for messages, such as `compression`.
        base: Base class of all classes, which holds the defaults.
        settings: True if the classes are frozen dataclasses, whose fields are saved as JSON.
        extensible: True if other packages may add classes.

    >>> shapes = Registry("shapes", "shape", object, settings=False)
    >>> @shapes.register("circle")
    ... class Circle: pass
    >>> shapes.find("circle") is Circle, shapes.name_of(Circle())
    (True, 'circle')
    """

    def __init__(self, kind: str, noun: str, base: type, *, settings: bool = True, extensible: bool = True) -> None:
        self.kind, self.noun, self.base = kind, noun, base
        self._settings, self._extensible = settings, extensible
        self._classes: dict[str, type[T]] = {}
        self._packages: dict[str, str] = {}
        self._broken: dict[str, str] = {}
        self._offers: dict[str, list[EntryPoint]] | None = None

    def register(self, name: str) -> Callable[[Class], Class]:
        """Return a decorator that registers a class under this name, for files and the command line.

        A class that is defined again (in a notebook, by a reload) replaces its earlier definition.

        Raises:
            ArgumentError: if the name is taken or not lower case, or the class does not fit.
        """

        def add(cls: Class) -> Class:
            self._check(name, cls)
            self._classes[name] = cls
            setattr(cls, _MARK, (self.kind, name))
            return known_settings(cls)

        return add

    def find(self, name: object, plugin: str | None = None) -> type[T]:
        """Return the class with this name.

        Args:
            name: The name.
            plugin: Package or module that registered the class, from a saved file, for the message if it is missing.

        Raises:
            ArgumentError: if no class has this name.
            PluginError: if a plug-in that a saved file needs is missing, or an entry point is broken or ambiguous.
        """
        found = self._get(name) if isinstance(name, str) else None
        if found is not None:
            return found
        if plugin is not None:
            raise PluginError(
                f"the {self.noun} {str(name)[:80]!r} is not registered here; it was registered by {plugin[:200]!r}: "
                "install that package, or import that module first"
            )
        raise ArgumentError(f"{self.noun} {name!r} is unknown; it must be {choice_of(name, self.names())}")

    def name_of(self, value: object) -> str:
        """Return the name of a value's class.

        Raises:
            ArgumentError: if the class is not registered.
        """
        cls: Any = type(value)
        if vars(cls).get(_MARK, ("",))[0] != self.kind:
            self._load_all()
        kind, name = vars(cls).get(_MARK, ("", ""))
        if kind != self.kind:
            raise ArgumentError(
                f"{value!r} is not a registered {self.noun} ({', '.join(self.names())}); {self._remedy(cls, kind)}"
            )
        self._classes.setdefault(name, cls)  # A class that was pickled by value carries its name.
        return str(name)

    def names(self) -> tuple[str, ...]:
        """Every name: first of the built-in classes, then of plug-ins. Nothing is loaded."""
        return (*self._classes, *(name for name in self._offered() if name not in {*self._classes, *self._broken}))

    def classes(self, *, loading: bool = True) -> Mapping[str, type[T]]:
        """Every class that can be loaded, by name (see `problems` for the others); or only the loaded classes."""
        if loading:
            self._load_all()
        return dict(self._classes)

    def variants(self, *, loading: bool = True) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
        """Kind and settings of each short name: the class attribute `variants`, or the kind's own name."""
        classes = self.classes(loading=loading).items()
        return {short: (name, settings) for name, cls in classes for short, settings in _variants(name, cls).items()}

    def problems(self) -> tuple[str, ...]:
        """Describe, in one sentence each, the entry points that cannot be used."""
        self._load_all()
        return tuple(self._broken.values())

    def plugin_of(self, name: str) -> str | None:
        """Return the package or module that registered the class; None for a built-in class."""
        cls = self.find(name)
        if is_built_in(cls):
            return None
        module = cls.__module__
        return f"package {self._packages[name]} ({module})" if name in self._packages else f"module {module}"

    def to_plain(self, value: object) -> dict[str, Any]:
        """Return a value as plain JSON values with its kind, and for a plug-in its package or module."""
        name = self.name_of(value)
        plugin = self.plugin_of(name)
        plain = asdict(value)  # type: ignore[call-overload]
        settings = {key: list(item) if isinstance(item, tuple) else item for key, item in plain.items()}
        return {"kind": name, **({} if plugin is None else {"plugin": plugin}), **settings}

    def from_plain(self, plain: Any, what: str = "") -> T:
        """Build a value from the plain values of `to_plain`; missing settings take their defaults.

        Args:
            plain: A mapping, or a name alone.
            what: Name of the setting in messages.

        Raises:
            ArgumentError: if a kind or setting is unknown, or a value is invalid.
            PluginError: if a required plug-in is missing or broken.
        """
        what = what or self.noun
        settings = {"kind": plain} if isinstance(plain, str) else plain
        if not isinstance(settings, Mapping):
            raise ArgumentError(f"{what} must be an object such as {{'kind': '{next(iter(self))}'}}, not {plain!r:.80}")
        settings = dict(settings)
        only = self.names()[0] if not self._extensible else None
        name, plugin = settings.pop("kind", only), settings.pop("plugin", None)
        try:
            cls: Any = self.find(name, None if plugin is None else str(plugin))
        except ArgumentError:
            raise ArgumentError(f"{what}.kind={name!r:.80} must be {choice_of(name, self.names())}") from None
        known = _field_names(cls)
        if unknown := sorted(set(settings) - set(known)):
            alike = did_you_mean(unknown[0], known)
            raise ArgumentError(f"{what} {name} has no setting {', '.join(unknown)}; it has {', '.join(known)}{alike}")
        try:
            made: T = cls(**{key: tuple(v) if isinstance(v, list) else v for key, v in settings.items()})
        except ArgumentError:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise ArgumentError(f"{what} {name}: a setting is missing or has the wrong type ({error})") from None
        return made

    def rescan(self) -> None:
        """Search for entry points again, after a package was installed."""
        self._offers, self._broken = None, {}

    def require_sound(self, name: str) -> None:
        """Raise `PluginError` if an entry point of this name cannot be used."""
        self._load_all()
        if name in self._broken:
            raise PluginError(self._broken[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def _get(self, name: str) -> type[T] | None:
        known = self._classes.get(name)
        offers = [] if known is not None else self._offered().get(name, [])
        if known is not None or not offers:
            return known
        one = offers[0]
        try:
            if others := [offer for offer in offers[1:] if offer.value != one.value]:
                raise PluginError(f"package {_package(others[0])} offers that name too; uninstall one of them")
            self.register(name)(_loaded(one))
        except SpectronormError as error:
            self._broken[name] = f"the {self.noun} {name!r} of package {_package(one)} cannot be used: {error}"
            raise PluginError(self._broken[name]) from None
        self._packages[name] = _package(one)
        return self._classes[name]

    def _remedy(self, cls: type, kind: str) -> str:
        if kind:
            return f"{cls.__name__} is one of the {kind}, so it belongs elsewhere"
        broken = [text for text in self._broken.values() if cls.__name__ in text]
        return broken[0] if broken else f"decorate {_described(cls)} with @{self.kind.upper()}.register('its_name')"

    def _load_all(self) -> None:
        for name, offers in self._offered().items():
            known = self._classes.get(name)
            if known is None and name not in self._broken:
                try:
                    self._get(name)
                except PluginError:
                    continue  # It is recorded in `_broken`.
            elif known is not None and name not in self._packages and not _offers(offers[0], known):
                self._broken[name] = (
                    f"the {self.noun} {name!r} of package {_package(offers[0])} ({offers[0].value}) cannot be used: "
                    f"{_described(known)} has that name; choose another one in the package"
                )

    def _offered(self) -> Mapping[str, list[EntryPoint]]:
        if self._offers is None:
            self._offers = {}
            for offer in entry_points(group=f"spectronorm.{self.kind}") if self._extensible else ():
                self._offers.setdefault(offer.name, []).append(offer)
        return self._offers

    def _check(self, name: str, cls: Any) -> None:
        """Raise `ArgumentError` unless the class can have this name."""
        what = f"the {self.noun} {name!r}"
        if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", name):
            raise ArgumentError(f"{what} must be named by a lower-case letter, then letters, digits, _ and -")
        if not inspect.isclass(cls) or not issubclass(cls, self.base) or inspect.isabstract(cls):
            missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
            rule = f"define {missing}" if missing else f"be a class that inherits {_described(self.base)}"
            raise ArgumentError(f"{what}: {_described(cls)} must {rule}")
        if self._settings and not (is_dataclass(cls) and cls.__dataclass_params__.frozen):  # type: ignore[attr-defined]
            raise ArgumentError(f"{what}: {_described(cls)} must be a frozen dataclass: @dataclass(frozen=True)")
        if reserved := [name for name in _RESERVED if self._settings and name in _field_names(cls)]:
            raise ArgumentError(f"{what}: a setting cannot be called {reserved[0]!r}; rename it")
        taken = {short: known for kind, known in self._classes.items() for short in (kind, *_variants(kind, known))}
        for short in (name, *_variants(name, cls)):
            known = taken.get(short)
            if known is not None and _described(known) != _described(cls):
                raise ArgumentError(
                    f"{what}: {_described(known)} has the name {short!r} already; give {_described(cls)} another"
                )
        kind, other = vars(cls).get(_MARK, (self.kind, name))
        if (kind, other) != (self.kind, name):
            raise ArgumentError(f"{what}: {_described(cls)} is registered as {other!r} already; keep one name")


def is_built_in(cls: type) -> bool:
    """True for a class of this package."""
    return cls.__module__.partition(".")[0] == __name__.partition(".")[0]


def _field_names(cls: Any) -> list[str]:
    return [field.name for field in fields(cls)]


def _variants(name: str, cls: Any) -> Mapping[str, Mapping[str, Any]]:
    variants: Mapping[str, Mapping[str, Any]] | None = getattr(cls, "variants", None)
    return {name: {}} if variants is None else variants


def _loaded(offer: EntryPoint) -> Any:
    try:
        return offer.load()
    except (Exception, SystemExit) as error:  # Another package's module may raise exceptions of any kind.
        raise PluginError(
            f"its entry point {offer.value} fails to import ({type(error).__name__}: {error}); "
            "repair, update or uninstall the package"
        ) from None


def _offers(offer: EntryPoint, cls: type) -> bool:
    module, _, name = offer.value.partition(":")
    return name.strip() == cls.__qualname__ and cls.__module__.startswith(module.strip())


def _package(offer: EntryPoint) -> str:
    return str(getattr(offer.dist, "name", None) or "unknown")


def _described(cls: Any) -> str:
    return f"{cls.__module__}.{cls.__qualname__}" if inspect.isclass(cls) else repr(cls)
