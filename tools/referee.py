"""divERGe as a referee: how to ask it for a flow, and what its answer is on our patches."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).with_name("run_diverge.py")


def diverge_flow(model, mu, interaction, *, env=None, limit=500, **job) -> dict[str, np.ndarray]:
    """Run one job in a process of its own and read its answer; `SCRIPT` lists what a job holds.

    It is given up after `limit` seconds.
    """
    job |= {
        "translations": model.translations,
        "hoppings": model.hoppings,
        "positions": np.array([[0, 0, site] for site in model.sites], dtype=float),
        "rotations": np.array([s.rotation for s in model.symmetries]),
        "orbitals": np.array([s.orbitals for s in model.symmetries]),
        "chemical_potential": mu,
        "interaction": interaction.tensor,
    }
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("job.npz", "answer.npz")]
        np.savez(files[0], **job)
        command = [sys.executable, SCRIPT, *files]
        subprocess.run(command, check=True, timeout=limit, capture_output=True, env=env)  # noqa: S603
        return dict(np.load(files[1]))


def pairs_on_bonds(patches, answer) -> np.ndarray:
    """Amplitude of a pair (k, −k) of one band on the bonds of an answer, shape (P, bonds).

    The Bloch states of the patches must be real.
    """
    first, second, cells = (answer[name] for name in ("from", "to", "cells"))
    phases = np.exp(1j * patches.points @ cells[:, :2].T)
    return patches.states[:, first] * patches.states[:, second] * phases


def gap_from_bonds(patches, amplitudes, answer) -> np.ndarray:
    """Gap on the patches of pairs on the bonds of an answer, largest magnitude one and positive."""
    gap = pairs_on_bonds(patches, answer) @ amplitudes
    return (gap / gap[np.argmax(np.abs(gap).round(9))]).real


def pairing_vertex(patches, answer) -> np.ndarray:
    """Singlet part of an answer's pairing vertex on the patches, shape (P, P)."""
    pairs = pairs_on_bonds(patches, answer)
    vertex = (pairs @ answer["vertex_P"][0] @ pairs.conj().T).real
    return (vertex + vertex[:, patches.minus]) / 2
