"""Values that are known only later: ``variable * 2``, ``path[:-3]``, ``Delayed("{}").format(variable)``.

The instance attributes of each class (their names included) are what a job id is computed from.
"""

from .hash import sis_hash_helper


def try_get(value):
    """``value.get()`` of a delayed value, any other value unchanged."""
    return value.get() if isinstance(value, DelayedBase) else value


def _is_set(value):
    if isinstance(value, DelayedBase):
        return value.is_set()
    if isinstance(value, (list, tuple)):
        return all(_is_set(v) for v in value)
    if isinstance(value, dict):
        return all(_is_set(v) for v in value.values())
    return True


class DelayedBase:
    """Operators and methods shared by all delayed values; each gives a new delayed value."""

    __iter__ = None  # __getitem__ alone would make every loop over a delayed value endless

    def __init__(self, a, b=None):
        self.a = a
        self.b = b

    def get(self):
        raise AssertionError(f"{type(self).__name__} does not define get()")

    def is_set(self):
        """Whether all operands have their value."""
        return all(_is_set(v) for v in self.__dict__.values())

    def __str__(self):
        return str(self.get())

    def __repr__(self):
        return str(self.get())

    def __add__(self, other):
        return DelayedAdd(self, other)

    def __radd__(self, other):
        return DelayedAdd(other, self)

    def __sub__(self, other):
        return DelayedSub(self, other)

    def __rsub__(self, other):
        return DelayedSub(other, self)

    def __mul__(self, other):
        return DelayedMul(self, other)

    def __rmul__(self, other):
        return DelayedMul(other, self)

    def __truediv__(self, other):
        return DelayedTrueDiv(self, other)

    def __rtruediv__(self, other):
        return DelayedTrueDiv(other, self)

    def __floordiv__(self, other):
        return DelayedFloorDiv(self, other)

    def __rfloordiv__(self, other):
        return DelayedFloorDiv(other, self)

    def __mod__(self, other):
        return DelayedMod(self, other)

    def __rmod__(self, other):
        return DelayedMod(other, self)

    def __pow__(self, other, modulo=None):
        power = DelayedPow(self, other)
        return power if modulo is None else DelayedMod(power, modulo)

    def __rpow__(self, other):
        return DelayedPow(other, self)

    def __round__(self, ndigits=None):
        return DelayedRound(self, ndigits)

    def __getitem__(self, key):
        return DelayedGetItem(self, key)

    def __call__(self, *args, **kwargs):
        return DelayedFunctionV2(self, args, kwargs)

    def fallback(self, fallback):
        """This value, or ``fallback`` while it is not set."""
        return DelayedFallback(self, fallback)

    def format(self, *args, **kwargs):
        """``str.format`` of this value; positional arguments may be delayed."""
        return DelayedFormat(self, *args, **kwargs)

    def rformat(self, fstring, *args, **kwargs):
        """``fstring.format(this value, ...)``."""
        return DelayedFormat(fstring, self, *args, **kwargs)

    def replace(self, *args, **kwargs):
        return DelayedReplace(self, *args, **kwargs)

    def function(self, func, *args, **kwargs):
        """``func(this value, ...)``; ``func`` must be a named function of a module."""
        return DelayedFunction(self, func, *args, **kwargs)


class Delayed(DelayedBase):
    """A plain value that takes part in delayed operations; it hashes like the value itself."""

    def __init__(self, a):
        super().__init__(a)

    def get(self):
        return try_get(self.a)

    def _sis_hash(self):
        return sis_hash_helper(self.a)


class _Binary(DelayedBase):
    def _operands(self):
        return try_get(self.a), try_get(self.b)


class DelayedAdd(_Binary):
    def get(self):
        a, b = self._operands()
        return a + b


class DelayedSub(_Binary):
    def get(self):
        a, b = self._operands()
        return a - b


class DelayedMul(_Binary):
    def get(self):
        a, b = self._operands()
        return a * b


class DelayedTrueDiv(_Binary):
    def get(self):
        a, b = self._operands()
        return a / b


class DelayedFloorDiv(_Binary):
    def get(self):
        a, b = self._operands()
        return a // b


class DelayedMod(_Binary):
    def get(self):
        a, b = self._operands()
        return a % b


class DelayedPow(_Binary):
    def get(self):
        a, b = self._operands()
        return a**b


class DelayedRound(_Binary):
    def get(self):
        a, b = self._operands()
        return round(a, b)


class DelayedGetItem(_Binary):
    def get(self):
        a, b = self._operands()
        return a[b]


class DelayedFallback(_Binary):
    def get(self):
        return try_get(self.a) if _is_set(self.a) else try_get(self.b)

    def is_set(self):
        return _is_set(self.a) or _is_set(self.b)


class DelayedFormat(DelayedBase):
    def __init__(self, string, *args, **kwargs):
        self.string = string
        self.args = args
        self.kwargs = kwargs

    def get(self):
        return try_get(self.string).format(*map(try_get, self.args), **self.kwargs)


class DelayedReplace(DelayedBase):
    def __init__(self, string, *args, **kwargs):
        self.string = string
        self.args = args
        self.kwargs = kwargs

    def get(self):
        return try_get(self.string).replace(*map(try_get, self.args), **self.kwargs)


class DelayedFunction(DelayedBase):
    def __init__(self, string, func, *args, **kwargs):
        assert getattr(func, "__name__", "") != "<lambda>", "a lambda cannot be hashed or stored: use a named function"
        self.func = func
        self.string = string
        self.args = args
        self.kwargs = kwargs

    def get(self):
        return self.func(try_get(self.string), *self.args, **self.kwargs)


class DelayedFunctionV2(DelayedBase):
    """``func(*args, **kwargs)``; each of the three, and each of the arguments, may be delayed."""

    def __init__(self, func, args, kwargs):
        self.func = func
        self.args = args
        self.kwargs = kwargs

    def get(self):
        kwargs = {k: try_get(v) for k, v in try_get(self.kwargs).items()}
        return try_get(self.func)(*map(try_get, try_get(self.args)), **kwargs)


class DelayedSlice(DelayedBase):
    """``iterable[index_start:index_end:step]``, of a text, list or tuple."""

    def __init__(self, iterable, index_start=0, index_end=-1, step=1):
        self.iterable = iterable
        self.index_start = index_start
        self.index_end = index_end
        self.step = step

    def get(self):
        return try_get(self.iterable)[try_get(self.index_start) : try_get(self.index_end) : try_get(self.step)]


class DelayedJoin(DelayedBase):
    def __init__(self, iterable, separator):
        self.iterable = iterable
        self.separator = separator

    def get(self):
        return try_get(self.separator).join(str(try_get(v)) for v in try_get(self.iterable))
