"""Pickles of statistics, read as data: a stack machine that knows forty opcodes and calls nothing.

Python's own unpickler runs what a pickle names, and a subclass with a list of allowed names still lets a file of ten
bytes take gigabytes of memory. Here the opcodes come from `pickletools.genops`, names are only ever texts, and what a
name was called with becomes a value in `pickled_values` once the whole pickle is read.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from spectronorm.interop.statistics.pickled_values import Call, Global, Storage, plain_value

_MOST_OPCODES = 50_000
_MOST_BYTES = 1 << 21
_MARK = object()

_CALLED = frozenset(
    [
        "collections.OrderedDict",
        "torch._utils._rebuild_tensor_v2",
        "numpy.dtype",
        "_codecs.encode",
        *(
            f"numpy.{core}.{name}"
            for core in ("core", "_core")
            for name in ("multiarray._reconstruct", "multiarray.scalar", "numeric._frombuffer")
        ),
    ]
)
_STORAGES = frozenset(f"torch.{kind}Storage" for kind in ("Float", "Double", "Half", "Long", "Int"))
_KNOWN = _CALLED | _STORAGES | {"numpy.ndarray"}
_ARGUMENT_ITSELF = frozenset(
    [
        *("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "BINFLOAT", "FLOAT"),
        *("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"),
        *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8", "SHORT_BINSTRING", "BINSTRING", "STRING"),
    ]
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NOTHING = frozenset(("PROTO", "FRAME"))


@dataclass
class _Machine:
    storage: Callable[[str], bytes] | None
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def step(self, name: str, argument: Any) -> None:
        if name in _ARGUMENT_ITSELF:
            self.stack.append(bytes(argument) if isinstance(argument, bytearray) else argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name == "MARK":
            self.stack.append(_MARK)
        elif name in _STEPS:
            _STEPS[name](self)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[argument])
        elif name == "GLOBAL":
            self.stack.append(_known(argument.replace(" ", ".")))
        elif name not in _NOTHING:
            raise ValueError(f"the pickle has the opcode {name}, which statistics do not need")

    def to_mark(self) -> list[Any]:
        items = []
        while (item := self.stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def tuple_of(self, count: int) -> None:
        items = tuple(self.stack[-count:])
        del self.stack[-count:]
        self.stack.append(items)

    def extend(self, items: list[Any]) -> None:
        _require(self.stack[-1], list).extend(items)

    def update(self, items: list[Any]) -> None:
        target = _require(self.stack[-1], dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | int | bytes):
                raise ValueError("a key of the pickle is neither text nor a number")
            target[key] = value

    def dict_of(self) -> None:
        items = self.to_mark()
        self.push({})
        self.update(items)

    def named(self) -> None:
        attribute, module = self.stack.pop(), self.stack.pop()
        self.stack.append(_known(f"{module}.{attribute}"))

    def call(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, Global) or function not in _CALLED or not isinstance(arguments, tuple):
            raise ValueError("the pickle calls something that is not a name of statistics")
        empty = function == "collections.OrderedDict" and not arguments
        self.stack.append({} if empty else Call(str(function), arguments))

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, Call):
            target.state = state
        elif not isinstance(target, dict):  # The state of an OrderedDict is its metadata.
            raise ValueError("the pickle gives a state to something that has none")

    def persistent(self) -> None:
        value = self.stack.pop()
        sound = isinstance(value, tuple) and len(value) == 5 and value[0] == "storage" and isinstance(value[1], Global)
        if self.storage is None or not sound or value[1] not in _STORAGES or not isinstance(value[2], str):
            raise ValueError("the pickle refers to an object outside")
        self.stack.append(Storage(str(value[1]), self.storage(value[2]), value[4]))

    def push(self, value: Any) -> None:
        self.stack.append(value)


_STEPS: dict[str, Callable[[_Machine], None]] = {
    "EMPTY_DICT": lambda m: m.push({}),
    "EMPTY_LIST": lambda m: m.push([]),
    "EMPTY_TUPLE": lambda m: m.push(()),
    "TUPLE1": lambda m: m.tuple_of(1),
    "TUPLE2": lambda m: m.tuple_of(2),
    "TUPLE3": lambda m: m.tuple_of(3),
    "TUPLE": lambda m: m.push(tuple(m.to_mark())),
    "LIST": lambda m: m.push(m.to_mark()),
    "DICT": _Machine.dict_of,
    "APPEND": lambda m: m.extend([m.stack.pop()]),
    "APPENDS": lambda m: m.extend(m.to_mark()),
    "SETITEM": lambda m: m.update([m.stack.pop(), m.stack.pop()][::-1]),
    "SETITEMS": lambda m: m.update(m.to_mark()),
    "MEMOIZE": lambda m: m.memo.__setitem__(len(m.memo), m.stack[-1]),
    "STACK_GLOBAL": lambda m: m.named(),
    "REDUCE": lambda m: m.call(),
    "BUILD": lambda m: m.build(),
    "BINPERSID": lambda m: m.persistent(),
}


def pickled(data: bytes, storage: Callable[[str], bytes] | None = None) -> Any:
    """The value of a pickle of dicts, lists, numbers, texts, arrays and tensors.

    Args:
        data: The pickle, of any protocol.
        storage: The bytes of a tensor's storage by its key, for a torch archive.

    Raises:
        ValueError: if the pickle names anything else, or is damaged or too long.
    """
    if len(data) > _MOST_BYTES:
        raise ValueError(f"a pickle of {len(data)} bytes is longer than statistics need")
    machine = _Machine(storage)
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if opcode.name == "STOP":
            return plain_value(machine.stack.pop())
        if count > _MOST_OPCODES:
            raise ValueError("the pickle has more values than statistics need")
        machine.step(opcode.name, argument)
    raise ValueError("the pickle breaks off")


def _known(name: str) -> Global:
    if name not in _KNOWN:
        raise ValueError(f"the pickle asks for {name:.100}, which would run code")
    return Global(name)


def _require(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError(f"the pickle fills something that is no {kind.__name__}")
    return value
