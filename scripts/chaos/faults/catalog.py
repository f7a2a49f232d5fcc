"""Lists all faults."""

from scripts.chaos.faults.blocking import blocking_faults
from scripts.chaos.faults.crowding import crowd_faults
from scripts.chaos.faults.duplicates import duplicate_faults
from scripts.chaos.faults.fault import Fault
from scripts.chaos.faults.links import link_faults
from scripts.chaos.faults.nodes import node_faults
from scripts.chaos.faults.one_node import single_faults
from scripts.chaos.faults.side_effects import effect_faults
from scripts.chaos.faults.slow_sockets import slow_faults
from scripts.chaos.faults.soak import soak_faults
from scripts.chaos.faults.stores import store_faults


def all_faults() -> list[Fault]:
    """Return every fault, in the order of the table."""
    return [
        *node_faults(),
        *store_faults(),
        *link_faults(),
        *duplicate_faults(),
        *slow_faults(),
        *blocking_faults(),
        *effect_faults(),
        *crowd_faults(),
        *soak_faults(),
        *single_faults(),
    ]
