"""The status page of ``sis manager --http``: shows jobs, logs, outputs and chains, and changes nothing."""

from ..base.refusal import Refusal


class AddressError(Refusal):
    """The status page cannot be served at the address that ``--http`` gives."""
