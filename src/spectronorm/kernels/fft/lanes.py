"""Vector lanes in compiled kernels: eight float64 or sixteen float32 numbers as one value, one for each signal.

LLVM's own vectorizer gives up on a Fourier transform, since it cannot prove that the stores do not overlap. These few
operations leave no choice: each is one vector instruction, or a few on machines with narrower vectors. Every lane is
computed exactly like a single number, in the order of the code; nothing is fused or reordered unless it says so.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

DOUBLES, SINGLES, FOUR = 8, 16, 4
"""Number of float64 and of float32 numbers in one value, and in a narrow one of float64."""


def data_of(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    """Return LLVM code for the place of an array's first number, given the array's type."""
    return context.data_model_manager[kind].get(builder, array, "data")


def shuffled_lanes(builder: Any, one: Any, other: Any, lanes: list[int]) -> Any:
    """Return LLVM code for these lanes of two vectors, counted through both."""
    return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes))


class Lanes(types.Type):
    """The numba type of such a value."""

    def __init__(self, number: Any, width: int) -> None:
        self.number, self.width = number, width
        super().__init__(name=f"Lanes({width} x {number})")

    @property
    def vector(self) -> Any:
        """The LLVM type."""
        return ir.VectorType(ir.DoubleType() if self.number == types.float64 else ir.FloatType(), self.width)

    def filled(self, builder: Any, one: Any) -> Any:
        """Return LLVM code for one number in all lanes."""
        undefined = ir.Constant(self.vector, ir.Undefined)
        first = builder.insert_element(undefined, one, ir.Constant(ir.IntType(32), 0))
        return shuffled_lanes(builder, first, undefined, [0] * self.width)


_DOUBLES, _SINGLES = Lanes(types.float64, DOUBLES), Lanes(types.float32, SINGLES)
NARROW = Lanes(types.float64, FOUR)
"""Four float64, a whole register of processors without AVX-512."""


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Lanes) -> None:
        super().__init__(manager, kind, kind.vector)  # type: ignore[no-untyped-call]


def _define(operation: Callable[[Any, Any], Any], instruction: str) -> None:
    @type_callable(operation)
    def _type(context: Any) -> Any:
        del context
        return lambda a, b: a if isinstance(a, Lanes) and a == b else None

    @lower_builtin(operation, Lanes, Lanes)  # type: ignore[no-untyped-call, untyped-decorator]
    def _lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        return getattr(builder, instruction)(*arguments)


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _define(_operation, _instruction)


def lanes_of(array: Any) -> Lanes:
    """Return the type of lanes for an array of this type."""
    return _DOUBLES if array.dtype == types.float64 else _SINGLES


class Value:
    """A whole number or lanes of floats in LLVM code under construction: its operators emit instructions.

    A function of such values reads as plain arithmetic, and runs once, when a kernel is compiled. With `fused`,
    products and sums of lanes may be fused.
    """

    def __init__(self, builder: Any, written: Any, *, fused: bool = False) -> None:
        self.builder, self.written, self.fused = builder, written, fused

    def _like(self, other: Value | float) -> Any:
        if isinstance(other, Value):
            return other.written
        kind = self.written.type
        return ir.Constant(kind, [other] * kind.count if isinstance(kind, ir.VectorType) else other)

    def _write(self, instruction: str, one: Any, other: Any) -> Value:
        kind = self.written.type
        if not isinstance(kind, ir.VectorType):
            return Value(self.builder, getattr(self.builder, instruction)(one, other))
        flags = ("contract",) if self.fused else ()
        written = getattr(self.builder, "f" + instruction)(one, other, flags=flags)
        return Value(self.builder, written, fused=self.fused)

    def __add__(self, other: Value | float) -> Value:
        return self._write("add", self.written, self._like(other))

    def __sub__(self, other: Value | float) -> Value:
        return self._write("sub", self.written, self._like(other))

    def __mul__(self, other: Value | float) -> Value:
        return self._write("mul", self.written, self._like(other))

    __rmul__ = __mul__

    def root(self) -> Value:
        """Return the square roots of lanes."""
        kind = self.written.type
        name = f"llvm.sqrt.v{kind.count}f{64 if kind.element == ir.DoubleType() else 32}"
        functions: Any = cgutils
        function = functions.get_or_insert_function(self.builder.module, ir.FunctionType(kind, [kind]), name)
        return Value(self.builder, self.builder.call(function, [self.written]), fused=self.fused)


class Numbers:
    """A flat array of floats, read as lanes, or as one number in all lanes; narrower floats are widened.

    With `fused`, products and sums of float32 are fused where the processor can.
    """

    def __init__(
        self, context: Any, builder: Any, kind: Any, array: Any, lanes: Lanes | None = None, *, fused: bool = False
    ) -> None:
        self.lanes = lanes_of(kind) if lanes is None else lanes
        self._fused = fused and self.lanes.number == types.float32
        self._builder, self._align = builder, kind.dtype.bitwidth // 8
        self._stored = ir.DoubleType() if kind.dtype == types.float64 else ir.FloatType()
        # Taken directly from the array's value: numba's usual proxy doubles the time of compilation.
        self._data = data_of(context, builder, kind, array)

    def __getitem__(self, at: Value) -> Value:
        stored = ir.VectorType(self._stored, self.lanes.width)
        return self._widened(self._builder.load(self._place(at, stored), align=self._align, typ=stored))

    def __setitem__(self, at: Value, value: Value) -> None:
        self._builder.store(value.written, self._place(at, value.written.type), align=self._align)

    def every(self, stride: Value, at: Value) -> Value:
        """Return the lanes of every `stride`-th number from `at` on."""
        stored = ir.VectorType(self._stored, self.lanes.width)
        value = ir.Constant(stored, ir.Undefined)
        for lane in range(self.lanes.width):
            place = self._place(at + stride * lane, self._stored)
            one = self._builder.load(place, typ=self._stored)
            value = self._builder.insert_element(value, one, ir.Constant(ir.IntType(32), lane))
        return self._widened(value)

    def everywhere(self, at: Value) -> Value:
        """Return the number at this position, in all lanes."""
        one = self._builder.load(self._place(at, self._stored), typ=self._stored)
        wanted = self.lanes.vector.element
        one = one if one.type == wanted else self._builder.fpext(one, wanted)
        return Value(self._builder, self.lanes.filled(self._builder, one), fused=self._fused)

    def _widened(self, value: Any) -> Value:
        same = value.type == self.lanes.vector
        return Value(self._builder, value if same else self._builder.fpext(value, self.lanes.vector), fused=self._fused)

    def _place(self, at: Value, wanted: Any) -> Any:
        return _pointer(self._builder, self._data, at, self._stored, wanted)


class Integers:
    """A flat array of whole numbers, the counterpart of `Numbers`."""

    def __init__(self, context: Any, builder: Any, kind: Any, array: Any) -> None:
        self._builder, self._stored = builder, ir.IntType(kind.dtype.bitwidth)
        self._data = data_of(context, builder, kind, array)

    def __getitem__(self, at: Value) -> Value:
        pointer = _pointer(self._builder, self._data, at, self._stored, self._stored)
        return Value(self._builder, self._builder.load(pointer, typ=self._stored))


def _pointer(builder: Any, data: Any, at: Value, stored: Any, wanted: Any) -> Any:
    """The place of one element.

    llvmlite is to drop pointers that say to what they point. Until then they are cast to point to what is wanted.
    """
    place = builder.gep(data, [at.written], source_etype=stored)
    return place if getattr(place.type, "is_opaque", True) else builder.bitcast(place, ir.PointerType(wanted))


def _loaded(lanes: Lanes | None) -> Any:
    """Return the code of a load of these lanes; None for the lanes of the array's numbers."""

    def load_lanes(typing: Any, array: Any, index: Any) -> Any:
        del typing, index

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            del signature
            return Numbers(context, builder, array, arguments[0], lanes)[Value(builder, arguments[1])].written

        return (lanes_of(array) if lanes is None else lanes)(array, types.intp), generate

    return load_lanes


def _store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    del typing, index

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        Numbers(context, builder, array, arguments[0])[Value(builder, arguments[1])] = Value(builder, arguments[2])
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


def _filled(lanes: Lanes | None) -> Any:
    """Return the code that fills these lanes; None for the lanes of an array's numbers."""

    def fill_lanes(typing: Any, like: Any, number: Any) -> Any:
        del typing
        wanted = lanes_of(like) if lanes is None else lanes

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return wanted.filled(builder, context.cast(builder, arguments[1], signature.args[1], wanted.number))

        return wanted(like, number), generate

    return fill_lanes


load: Any = intrinsic(_loaded(None))
"""`load(array, index)`: lanes of a flat array from `index` on; the bounds are not checked."""
load_doubles: Any = intrinsic(_loaded(_DOUBLES))
"""`load_doubles(array, index)`: eight numbers of a flat array of float32 or float64 as float64."""
store: Any = intrinsic(_store)
"""`store(array, index, value)`: write lanes into a flat array; the bounds are not checked."""
fill: Any = intrinsic(_filled(None))
"""`fill(like, number)`: one number in all lanes of the type that an array like this has."""
load_four: Any = intrinsic(_loaded(NARROW))
"""`load_four(array, index)`: four numbers of a flat array of float64."""
fill_four: Any = intrinsic(_filled(NARROW))
"""`fill_four(like, number)`: one number in four lanes of float64."""
