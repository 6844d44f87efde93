"""One function on a grid of parameters, with all cores of this machine or of a cluster.

A sweep is one call, and stays the same call on a cluster: where a client of Dask is active, its
workers compute.  ``Client("tcp://…")`` of ``dask.distributed`` connects to a scheduler that runs;
``dask_jobqueue.SLURMCluster`` and ``dask_kubernetes.operator.KubeCluster`` start one by the queue
of a computing centre or in a Kubernetes cluster.  The workers need this package in the same
version; what a notebook or a user's file defines is sent to them.
"""

from nickbook.sweeps.grid import sweep

__all__ = ["sweep"]
