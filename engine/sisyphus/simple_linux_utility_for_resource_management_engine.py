"""The Slurm engine under the name and with the arguments that settings files of upstream use."""

import enum

from .slurm.engine import SlurmEngine


class SimpleLinuxUtilityForResourceManagementEngine(SlurmEngine):
    """``auto_clean_eqw`` and ``ignore_jobs`` have no effect."""

    class MemoryAllocationType(enum.Enum):
        PER_CPU = "cpu"
        PER_NODE = "node"

    def __init__(
        self,
        default_rqmt,
        gateway=None,
        has_memory_resource=True,
        auto_clean_eqw=True,
        ignore_jobs=(),
        memory_allocation_type=MemoryAllocationType.PER_NODE,
        job_name_mapping=None,
    ):
        memory = memory_allocation_type.value if has_memory_resource else None
        super().__init__(default_rqmt, gateway=gateway, memory=memory, job_name=job_name_mapping or str)
