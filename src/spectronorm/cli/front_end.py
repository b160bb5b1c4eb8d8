"""Front-end options, named as in librosa and torchaudio: one for each field of the classes in each slot."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from spectronorm.audio.resample import RESAMPLERS
from spectronorm.cli.options import alternatives
from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd, preset
from spectronorm.front_end.front_end import SLOTS
from spectronorm.settings import Setting, settings_of

FRONT_END_PANEL = "Front end"
_ORDER = ("stft", "bands", "compress", "level")
"""Order of the slots: if two slots have a setting with one name, the option of the later slot begins with its name."""


@dataclass(frozen=True)
class SlotOption:
    """Option that sets one field of a slot, for each kind that has the field, in registry order."""

    slot: str
    field: str
    by_kind: Mapping[str, Setting]

    @property
    def type(self) -> type:
        """Type that the command line parses; text if the kinds differ or take several values."""
        types = {str if setting.several else setting.type for setting in self.by_kind.values()}
        return types.pop() if len(types) == 1 else str

    @property
    def flags(self) -> Mapping[str, str]:
        """Both forms of a switch, for each kind that names them."""
        return {kind: setting.flag for kind, setting in self.by_kind.items() if setting.flag}

    @property
    def help(self) -> str:
        """Help text: the meaning of the setting, and the kinds that have it."""
        kinds_of: dict[str, list[str]] = {}
        for kind, setting in self.by_kind.items():
            kinds_of.setdefault(setting.help or f"setting {self.field}", []).append(kind)
        several = self.slot != "stft"
        parts = [f"{', '.join(kinds)}: {text}" if several else text for text, kinds in kinds_of.items()]
        text = "; ".join(parts)
        return f"{text[:1].upper()}{text[1:]}."


def slot_options(taken: frozenset[str] = frozenset()) -> Mapping[str, SlotOption]:
    """Return the option of every field of every kind by parameter name; `taken` holds the command's own names."""
    found: dict[str, SlotOption] = {}
    for slot in _ORDER:
        by_field: dict[str, dict[str, Setting]] = {}
        for kind, cls in SLOTS[slot].classes().items():
            for name, setting in settings_of(cls).items():
                by_field.setdefault(name, {})[kind] = setting
        for name, by_kind in by_field.items():
            key = f"{slot}_{name}" if name in found or name in taken or name in _GENERAL else name
            found[key] = SlotOption(slot, name, by_kind)
    return found


def with_front_end(command: Callable[..., Any], start: FrontEnd | None = None) -> Callable[..., Any]:
    """Replace the command's `front_end` argument by options that change `start`."""
    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "front_end"]
    by_slot = slot_options(frozenset(parameter.name for parameter in own))
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _annotations(by_slot)
    ]

    def run(**settings: Any) -> Any:
        chosen = {option.name: settings.pop(option.name) for option in options}
        return command(front_end=build(chosen, by_slot, start), **settings)

    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    run.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *options)}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def build(options: Mapping[str, Any], by_slot: Mapping[str, SlotOption], start: FrontEnd | None = None) -> FrontEnd:
    """Build the front end from options, starting from a preset, a file or `start`.

    Raises:
        ArgumentError: if options contradict each other or a value is invalid.
    """
    given = {name: value for name, value in options.items() if value is not None}
    name, file = given.pop("preset_name", None), given.pop("front_end_file", None)
    if name is not None and file is not None:
        raise ArgumentError("--preset and --front-end both say where to start; give one of them")
    if name is not None or start is None:
        start = FrontEnd() if name is None else preset(name)
    if file is not None:
        start = FrontEnd.load(file)
    plain = start.to_dict()
    for slot in ("level", "bands", "compress"):
        if slot in given and given[slot] != plain[slot]["kind"]:
            plain[slot] = {"kind": given[slot]}
    # Window and hop follow n_fft unless they are given too.
    if "n_fft" in given:
        plain["stft"] |= {"win_length": None, "hop_length": None}
    for slot in SLOTS:
        _set(
            plain,
            slot,
            {name: option for name, option in by_slot.items() if option.slot == slot and name in given},
            given,
        )
    plain |= {name: given[name] for name in ("sample_rate", "resampler", "channels") if name in given}
    return FrontEnd.from_dict(plain)


def options_of(front_end: FrontEnd, command: Callable[..., Any]) -> list[str]:
    """Return the options that give this front end to a command: those that differ from the defaults."""
    own = inspect.signature(command).parameters
    by_slot, default = slot_options(frozenset(name for name in own if name != "front_end")), FrontEnd()
    names = {(option.slot, option.field): name for name, option in by_slot.items()}
    found: list[str] = []
    for name in ("sample_rate", "resampler", "channels"):
        if getattr(front_end, name) != getattr(default, name):
            found += [_flag(name), str(getattr(front_end, name)).partition(":")[0]]
    for slot in _ORDER:
        value = getattr(front_end, slot)
        kind = SLOTS[slot].name_of(value)
        usual = getattr(default, slot) if type(value) is type(getattr(default, slot)) else type(value)()
        if usual is not getattr(default, slot):
            found += [f"--{slot}", kind]
        for field, setting in settings_of(type(value)).items():
            own = getattr(value, field)
            # Window and hop would follow n_fft.
            if own != getattr(usual, field) or (slot == "stft" and field in _FOLLOWING and "--n-fft" in found):
                found += _option_of(names[slot, field], setting, own)
    return found


_FOLLOWING = ("win_length", "hop_length")


def _option_of(name: str, setting: Setting, value: Any) -> list[str]:
    if setting.type is bool and not setting.several:
        switch = setting.flag or f"{_flag(name)}/--no-{_flag(name).removeprefix('--')}"
        return [switch.split("/")[0 if value else 1]]
    if value is None:
        return [_flag(name), "none"]
    return [_flag(name), ",".join(map(str, value)) if setting.several else str(value)]


def _set(plain: dict[str, Any], slot: str, options: Mapping[str, SlotOption], given: Mapping[str, Any]) -> None:
    """Set the fields of one slot; if no kind is given, choose a kind that has all these fields."""
    kind = plain[slot]["kind"]
    if slot in given:
        SLOTS[slot].find(kind)
    for name, option in options.items():
        if slot in given and kind not in option.by_kind:
            raise ArgumentError(f"{_flag(name)} belongs to --{slot} {' or '.join(option.by_kind)}, not {kind}")
    able = [one for one in SLOTS[slot] if all(one in option.by_kind for option in options.values())]
    if not able:
        rules = ", ".join(f"{_flag(name)} to {' or '.join(option.by_kind)}" for name, option in options.items())
        raise ArgumentError(f"no --{slot} has all of these options ({rules}); leave one out")
    if kind not in able:
        kind = able[0]
        plain[slot] = {"kind": kind}
    for name, option in options.items():
        value, setting = given[name], option.by_kind[kind]
        plain[slot][option.field] = setting.parse(value, _flag(name)) if isinstance(value, str) else value


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _annotations(by_slot: Mapping[str, SlotOption]) -> Iterator[tuple[str, Any]]:
    """Yield the options in the order of `--help`: each slot's kind before its settings."""
    yield from _GENERAL.items()
    for slot in ("level", "stft", "bands", "compress"):
        if slot != "stft":
            text = f"{SLOTS[slot].noun.capitalize()}: {alternatives(SLOTS[slot])}"
            yield slot, _option(str, text, f"--{slot}")
        for name, option in by_slot.items():
            if option.slot == slot:
                flag = _flag(name)
                switch = next(iter(option.flags.values()), f"{flag}/--no-{flag.removeprefix('--')}")
                yield name, _option(option.type, option.help, switch if option.type is bool else flag)


def _option(kind: Any, help_text: str, *names: str) -> Any:
    return Annotated[
        kind | None, typer.Option(*names, help=help_text, rich_help_panel=FRONT_END_PANEL, show_default=False)
    ]


_GENERAL: Mapping[str, Any] = {
    "preset_name": _option(str, "Start from a preset; spectronorm presets lists them.", "--preset"),
    "front_end_file": _option(Path, "Start from the front end in a JSON file.", "--front-end"),
    "sample_rate": _option(int, "Sample rate in Hz."),
    "resampler": _option(str, alternatives(RESAMPLERS)),
    "channels": _option(str, "Channels to measure: mean, first, a number from 0, each or stack."),
}
