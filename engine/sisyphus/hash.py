"""Job ids: every value has one byte encoding, and its SHA-256 in base 62 is what the name of a job ends with."""

import enum
import hashlib
import pathlib
import types

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MAX_ENCODING = 4096  # bytes; anything longer is replaced by its digest

_SCALARS = frozenset((int, float, bool, str, complex))
_BASIC = _SCALARS | {list, tuple, set, frozenset, dict}
_OBJECT_GETSTATE = getattr(object, "__getstate__", None)  # exists since Python 3.11


def md5(obj):
    """Hexadecimal MD5 of the text of ``obj``: for settings that replace ``SIS_HASH``."""
    return hashlib.md5(str(obj).encode()).hexdigest()


def int_hash(obj):
    """SHA-256 of the encoding of ``obj`` as a non-negative integer."""
    return int.from_bytes(hashlib.sha256(sis_hash_helper(obj)).digest(), "big")


def short_hash(obj, length=12, chars=ALPHABET):
    """The last ``length`` base-62 digits of `int_hash`, least significant first."""
    number, base = int_hash(obj), len(chars)
    digits = []
    for _ in range(length):
        number, digit = divmod(number, base)
        digits.append(chars[digit])
    return "".join(digits)


def sis_hash_helper(obj):
    """Encode ``obj`` as bytes: ``(type name, part, ...)``, at most 4096 bytes or a 32-byte digest.

    Raises `AssertionError` or `TypeError` for values that have no stable encoding (lambdas, anything of
    ``__main__``, list subclasses, objects without a readable state).
    """
    cls = type(obj)
    if cls in _SCALARS:  # first, because most values are
        return _at_most_a_digest(f"({cls.__name__}, {obj!r})".encode())
    parts = [b"EnumMeta" if cls is enum.EnumMeta else cls.__qualname__.encode()]
    if isinstance(obj, bytes):
        parts.append(obj)
    elif obj is None:
        pass
    elif cls is list or cls is tuple:
        parts += [sis_hash_helper(x) for x in obj]
    elif cls is set or cls is frozenset:
        parts += sorted(sis_hash_helper(x) for x in obj)
    elif isinstance(obj, dict):
        parts += sorted(sis_hash_helper(item) for item in obj.items())
    elif isinstance(obj, types.FunctionType):
        assert obj.__name__ != "<lambda>", f"a lambda has no stable hash: {obj}"
        parts.append(_global_name(obj))
    elif isinstance(obj, type):
        parts.append(_global_name(obj))
    elif hasattr(obj, "_sis_hash"):
        return obj._sis_hash()
    else:
        parts.append(sis_hash_helper(get_object_state(obj)))
    return _at_most_a_digest(b"(" + b", ".join(parts) + b")")


def _at_most_a_digest(encoded):
    return encoded if len(encoded) <= MAX_ENCODING else hashlib.sha256(encoded).digest()


def _global_name(obj):
    assert obj.__module__ != "__main__", f"{obj} is defined in __main__ and has no stable name: move it to a module"
    return sis_hash_helper((obj.__module__, obj.__qualname__))


def get_object_state(obj):
    """What makes up ``obj``: basic values stay themselves, objects become their attributes (and new-arguments)."""
    if obj is None or type(obj) in _BASIC:
        return obj
    cls = type(obj)
    if isinstance(obj, (int, float, complex, str, list, tuple, set, frozenset, dict)) and not (
        hasattr(obj, "__getnewargs_ex__") or hasattr(obj, "__getnewargs__")
    ):
        raise TypeError(f"derived type {cls} not handled yet")
    if isinstance(obj, (types.MethodDescriptorType, types.WrapperDescriptorType, types.ClassMethodDescriptorType)):
        return obj.__qualname__
    if isinstance(obj, types.ModuleType):
        return obj.__name__
    if isinstance(obj, (types.FunctionType, type)):
        return obj.__module__, obj.__qualname__
    if isinstance(obj, pathlib.PurePath):
        return str(obj)

    args = None
    if hasattr(obj, "__getnewargs_ex__"):
        args = obj.__getnewargs_ex__()
    elif hasattr(obj, "__getnewargs__"):
        args = obj.__getnewargs__()

    if hasattr(obj, "__sis_state__"):
        state = obj.__sis_state__()
    elif getattr(cls, "__getstate__", None) is not _OBJECT_GETSTATE:
        state = obj.__getstate__()
    else:
        state = _members(obj)
        if not state and not hasattr(obj, "__dict__") and not hasattr(obj, "__slots__"):
            assert args is not None, f"cannot read the state of {obj!r} ({cls})"
            state = None
    if isinstance(obj, enum.Enum) and isinstance(state, dict):
        state = {k: v for k, v in state.items() if k != "_sort_order_"}
    return state if args is None else (args, state)


def _members(obj):
    if isinstance(obj, (types.BuiltinFunctionType, types.MethodWrapperType)):
        return {"__self__": obj.__self__, "__name__": obj.__name__}
    state = dict(getattr(obj, "__dict__", None) or {})
    slots = getattr(obj, "__slots__", ())
    for name in (slots,) if isinstance(slots, str) else slots:
        if name not in state and hasattr(obj, name):
            state[name] = getattr(obj, name)
    for name in dir(obj):
        if name in state or (name.startswith("__") and name not in ("__self__", "__func__")):
            continue
        found, class_value = _class_attribute(type(obj), name)
        if found and hasattr(class_value, "__get__") and not isinstance(class_value, types.MemberDescriptorType):
            continue  # methods and properties
        try:
            value = getattr(obj, name)
        except Exception:  # whatever an unreadable attribute raises
            continue
        if not (found and value is class_value):
            state[name] = value
    return state


def _class_attribute(cls, name):
    for base in cls.__mro__:
        if name in base.__dict__:
            return True, base.__dict__[name]
    return False, None
